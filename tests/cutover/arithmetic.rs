//! Waits: how long, counted from when.

use super::*;

/// The old TTL is a day, a change takes a quarter of an hour to arrive, absence is kept for an hour.
const DAY: &str = r#"
[views.internal]
resolvers = ["10.0.0.53"]
[certificates.all]
names = ["mail.domain.com"]
[servers.old]
address = "10.0.0.3"
[servers.new]
address = "10.0.0.10"
[internet]
"mail.domain.com" = { before = "old", coexistence = "new", ttl-before = "1d" }
[cutover]
low-ttl = "5m"
propagation = "15m"
"#;

#[test]
fn a_ttl_of_a_day_lowered_on_monday_at_eight_lets_nobody_flip_before_a_quarter_past_eight_on_tuesday() {
    let planned = before_to_coexistence(DAY);
    let (lower, step) = steps(&planned, StepKind::LowerTtl)[0];
    assert_eq!((lower, planned.schedule[0].start, step.ending.estimate()), (0, 0, 900));
    let (flip, step) = steps(&planned, StepKind::Flip)[0];
    let wait = step.waits.iter().find(|w| w.after == lower).map(|w| w.seconds);
    assert_eq!(wait, Some(86_400));
    let earliest = planned.timeline.at(planned.schedule[flip].start).map(|t| t.to_string());
    assert_eq!(earliest.as_deref(), Some("2026-11-24T08:15:00Z"));
    assert_eq!(step.undo.as_ref().map(|u| u.settles), Some(1200), "the way back takes 20 minutes");
    assert_eq!(planned.rollback, 1200);
}

#[test]
fn slack_is_added_to_every_wait() {
    let planned = before_to_coexistence(&with(DAY, &[("low-ttl = \"5m\"", "low-ttl = \"5m\"\nslack = \"10m\"")]));
    let (_, flip) = steps(&planned, StepKind::Flip)[0];
    assert_eq!(flip.waits[0].seconds, 87_000);
    assert_eq!(planned.rollback, 1800);
}

#[test]
fn an_unknown_ttl_is_taken_for_a_day_and_named() {
    let planned = before_to_coexistence(&with(DAY, &[(", ttl-before = \"1d\"", "")]));
    let (_, flip) = steps(&planned, StepKind::Flip)[0];
    assert_eq!(flip.waits[0].seconds, 86_400);
    assert!(
        planned.unknown.iter().any(|u| u.contains("old TTL") && u.contains("mail.domain.com")),
        "{:?}",
        planned.unknown
    );
}

#[test]
fn the_greatest_ttl_and_none_at_all_are_planned_with() {
    let longest = before_to_coexistence(&with(DAY, &[("\"1d\"", "2147483647")]));
    let (_, flip) = steps(&longest, StepKind::Flip)[0];
    assert_eq!(flip.waits[0].seconds, 2_147_483_647);
    let none = before_to_coexistence(&with(DAY, &[("\"1d\"", "0"), ("low-ttl = \"5m\"", "low-ttl = 0")]));
    assert!(steps(&none, StepKind::LowerTtl).is_empty(), "nothing is lower than 0");
    let (_, flip) = steps(&none, StepKind::Flip)[0];
    assert!(flip.waits.is_empty());
}

#[test]
fn a_flip_waits_for_the_window_by_the_clock_on_the_wall() {
    let text = with(DAY, &[("low-ttl = \"5m\"", "low-ttl = \"5m\"\nwindows = [\"Mon-Thu 20:00-06:00\"]")]);
    let (read, recording) = (read(&text), Recording::default());
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let ask = Ask { zone: Some(&zone), ..ask(&read, &recording, Phase::Before, Phase::Coexistence) };
    let planned = plan(&ask).unwrap();
    let (flip, _) = steps(&planned, StepKind::Flip)[0];
    let at = planned.timeline.at(planned.schedule[flip].start).map(|t| t.to_string());
    // The bind waits until Monday 20:00; the flip until Tuesday 20:00 in Berlin, which is 19:00 in UTC.
    assert_eq!(at.as_deref(), Some("2026-11-24T19:00:00Z"));
}

#[test]
fn views_flip_on_days_of_their_own() {
    let windows = "low-ttl = \"5m\"\nwindows = { internal = \"Wed 20:00-22:00\", external = [\"Fri 20:00-22:00\"] }";
    let external = "[views.external]\nresolvers = [\"9.9.9.9\"]\n[certificates.all]";
    let changes = [("low-ttl = \"5m\"", windows), ("[certificates.all]", external)];
    let text = with(DAY, &changes).replace("address = \"10.0.0", "address = \"203.0.113");
    let planned = before_to_coexistence(&text);
    let days = steps(&planned, StepKind::Flip).into_iter().map(|(at, step)| {
        let start = planned.timeline.at(planned.schedule[at].start).unwrap();
        (step.view.unwrap().0, start.strftime("%a %H:%M").to_string())
    });
    // The certificate is bound first, and checked, in the window's first minutes.
    assert_eq!(days.collect::<Vec<_>>(), [(0, "Wed 20:20".to_string()), (1, "Fri 20:00".to_string())]);
    // What belongs to no view keeps to the windows of both.
    for (step, when) in planned.timeline.steps.iter().zip(&planned.schedule).filter(|(s, _)| s.in_window) {
        let day = planned.timeline.at(when.start).unwrap().strftime("%a").to_string();
        let wanted = step.view.map_or(&["Wed", "Fri"][..], |view| if view.0 == 0 { &["Wed"] } else { &["Fri"] });
        assert!(wanted.contains(&day.as_str()), "{}: {day}", step.what);
    }
}

#[test]
fn a_window_keeps_to_the_clock_on_the_night_on_which_clocks_change() {
    let text =
        with(DAY, &[("low-ttl = \"5m\"", "low-ttl = \"5m\"\nwindows = [\"Sun 01:30-04:00\"]"), ("\"1d\"", "\"5m\"")]);
    let (read, recording) = (read(&text), Recording::default());
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    // At 2027-03-28 02:00 clocks go to 03:00: the window is half past one to four, an hour and a half.
    let start: Timestamp = "2027-03-27T12:00:00Z".parse().unwrap();
    let ask =
        Ask { zone: Some(&zone), start: Some(start), ..ask(&read, &recording, Phase::Before, Phase::Coexistence) };
    let planned = plan(&ask).unwrap();
    let (flip, step) = steps(&planned, StepKind::Flip)[0];
    let start = planned.timeline.at(planned.schedule[flip].start).unwrap();
    let open =
        ("2027-03-28T00:30:00Z".parse::<Timestamp>().unwrap(), "2027-03-28T02:00:00Z".parse::<Timestamp>().unwrap());
    assert!(open.0 <= start && start < open.1, "{start}");
    assert!(step.in_window);
}
