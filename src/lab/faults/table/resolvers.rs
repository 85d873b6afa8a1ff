//! Faults of resolvers and of the way to them.

use super::super::{FaultInfo, answers, resolvers};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo::new(
        "resolver-silent",
        "view",
        "no resolver of the view answers",
        resolvers::views,
        resolvers::silence_all,
    ),
    FaultInfo::new(
        "one-resolver-silent",
        "view",
        "one of the view's resolvers does not answer",
        resolvers::views_with_several,
        resolvers::silence_one,
    ),
    FaultInfo::new(
        "one-resolver-apart",
        "view/name",
        "one of the view's resolvers leads the name elsewhere than the others",
        answers::of_several,
        answers::answer_apart,
    ),
    FaultInfo::new(
        "long-negative-ttl",
        "view",
        "the zones of the view let absence be cached for a day",
        resolvers::views,
        answers::cache_absence,
    ),
    FaultInfo::new(
        "resolver-refuses",
        "view",
        "the view's resolvers refuse every question",
        resolvers::views,
        resolvers::refuse,
    ),
    FaultInfo::new(
        "resolver-fails",
        "view",
        "the view's resolvers answer SERVFAIL to every question",
        resolvers::views,
        resolvers::fail,
    ),
    FaultInfo::new(
        "resolver-garbles",
        "view",
        "what the view's resolvers send is no DNS message",
        resolvers::views_in_clear,
        resolvers::garble,
    ),
    FaultInfo::new(
        "truncation",
        "view",
        "every answer of the view's resolvers over UDP is truncated",
        resolvers::views_in_clear,
        resolvers::truncate,
    ),
    FaultInfo::new(
        "dns-interception",
        "",
        "somebody in the way answers external questions in the clear with the internal view",
        resolvers::two_sides,
        resolvers::intercept,
    ),
];
