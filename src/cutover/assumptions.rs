//! What the proof takes for granted: said in every report.

use crate::model::cutover::{Assumption, Ending, Timeline, span};
use crate::model::plan::Plan;

/// All of them, in a fixed order.
pub(super) fn all(plan: &Plan, timeline: &Timeline) -> Vec<Assumption> {
    let of = |id, text: &str| Assumption { id, text: text.to_string() };
    let slack = span(i64::from(timeline.slack));
    let clocks = span(i64::from(timeline.clock_error));
    let mut out = vec![
        of(
            "caches-keep-to-ttl",
            &format!("caches keep no answer longer than its TTL and the declared slack ({slack})"),
        ),
        of("no-endless-caches", "no client has a hosts file, a PAC file or an endless cache for these names"),
        of("cached-urls", &cached_urls(plan, timeline)),
        of("open-connections", "open connections see no new certificate, and are not broken by one"),
        of("caches-stay-in-view", "no cache moves between views: a laptop that comes home brings no answer along"),
        of("ns-ds-unchanged", "NS and DS records stay as they are"),
        of("no-revocation", "no certificate is revoked before it is out of use, also after a new key"),
        of("anchors-observed", "clients trust the anchors that the plan names or a recording shows for their view"),
        of("clocks", &format!("clocks of clients and servers are right to within ±{clocks}")),
        of("redirects-declared", "servers send clients on only as the plan declares"),
        of(
            "hsts-known",
            "browsers remember HSTS only of sites in [cutover] hsts, and of those that a recording shows to send it",
        ),
    ];
    let gated = |s: &crate::model::cutover::Step| matches!(s.ending, Ending::Assumed(n) if n > 0);
    if timeline.steps.iter().any(gated) {
        let views = plan.views.iter().zip(&plan.cutover.propagation);
        let waits: Vec<String> = views.map(|(v, p)| format!("{} {}", v.label, span(i64::from(*p)))).collect();
        out.push(of(
            "propagation",
            &format!("all authoritative servers hold a change after the declared propagation ({})", waits.join(", ")),
        ));
    }
    out
}

fn cached_urls(plan: &Plan, timeline: &Timeline) -> String {
    let time = span(i64::from(timeline.cached_urls));
    let source = match plan.cutover.cached_urls {
        Some(_) => "as `cached-urls` says",
        None => "as Autodiscover's answers without a TTL of their own are valid: Microsoft, TTL (POX)",
    };
    format!(
        "clients that keep URLs they were told (Outlook's by Autodiscover) ask for new ones within {time} ({source})"
    )
}
