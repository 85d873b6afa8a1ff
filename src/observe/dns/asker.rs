//! One resolver with all its questions: a window of them in flight, answers handed out in batches.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, Sleep, sleep_until};

use super::https::Https;
use super::silence::{Silence, Turn};
use super::stream::Stream;
use super::udp::Event;
use super::{Ask, Inquiry, Line, Way};
use crate::model::dns::{DnsOutcome, ResolverAddr};

/// Questions in flight until the resolver has answered one: a silent one shall not fill all places.
const UNPROVEN: usize = 16;

/// What became of some questions, by their numbers.
pub type Answers = Vec<(usize, DnsOutcome)>;

/// A resolver that is being asked.
pub struct Asker {
    way: Way,
    waiting: VecDeque<Ask>,
    /// Questions in flight.
    flying: usize,
    /// At most, now and once it has answered.
    window: usize,
    wide: usize,
    silence: Silence,
    /// Questions over streams.
    aside: FuturesUnordered<Aside>,
    events: Vec<Event>,
    answers: Answers,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Asker {
    /// A resolver and the way to it, and what to ask it, `wide` at once; one by TLS or HTTPS has to prove its own address
    /// under the anchors. Nothing is opened yet.
    pub fn new(resolver: &ResolverAddr, line: &Line, anchors: &[Arc<[u8]>], asks: VecDeque<Ask>, wide: usize) -> Self {
        let wide = wide.max(1);
        Self {
            way: Way::new(resolver, line, anchors),
            waiting: asks,
            flying: 0,
            window: UNPROVEN.min(wide),
            wide,
            silence: Silence::default(),
            aside: FuturesUnordered::new(),
            events: Vec::new(),
            answers: Vec::new(),
            timer: None,
        }
    }

    /// Asks everything, and hands out what comes as it comes. It ends when everything is answered, or nobody listens.
    pub async fn run(mut self, out: Sender<(usize, Answers)>, label: usize) {
        while self.flying + self.waiting.len() > 0 {
            poll_fn(|cx| self.turn(cx)).await;
            if out.send((label, std::mem::take(&mut self.answers))).await.is_err() {
                return;
            }
        }
    }

    /// Does what can be done now; ready with some answers.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = Instant::now();
            if let Way::Udp(udp, _) = &mut self.way {
                udp.poll(cx, now, &mut self.events);
            }
            self.settle_events(now);
            while self.flying < self.window
                && let Some(ask) = self.waiting.pop_front()
            {
                self.start(cx, now, ask);
            }
            self.settle_events(now);
            while let Poll::Ready(Some((inquiry, outcome))) = self.aside.poll_next_unpin(cx) {
                self.settle(&inquiry, outcome, now);
            }
            match self.answers.is_empty() {
                false => return Poll::Ready(()),
                true if self.sleeps(cx) => return Poll::Pending,
                true => {}
            }
        }
    }

    /// True if nothing is overdue: something else will wake it.
    fn sleeps(&mut self, cx: &mut Context<'_>) -> bool {
        let due = match &self.way {
            Way::Udp(udp, _) => udp.due(),
            _ => None,
        };
        let Some(due) = due else { return true };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if timer.deadline() != due {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(cx).is_pending()
    }

    fn start(&mut self, cx: &mut Context<'_>, now: Instant, ask: Ask) {
        self.flying += 1;
        let inquiry = Inquiry::new(ask, now);
        match &mut self.way {
            Way::Udp(udp, _) => udp.ask(cx, now, inquiry, &mut self.events),
            Way::Stream(stream) => self.aside.push(over_stream(inquiry, stream.clone(), false)),
            Way::Https(https) => self.aside.push(over_https(inquiry, https.clone())),
            Way::Never(why) => {
                let outcome = DnsOutcome::Unreachable(why.clone());
                self.events.push(Event::Over(inquiry, outcome));
            }
        }
    }

    fn settle_events(&mut self, now: Instant) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            match (event, &self.way) {
                (Event::Over(inquiry, outcome), _) => self.settle(&inquiry, outcome, now),
                (Event::Truncated(inquiry), Way::Udp(_, tcp)) => {
                    self.aside.push(over_stream(inquiry, tcp.clone(), true));
                }
                // Nothing else has datagrams.
                (Event::Truncated(inquiry), _) => {
                    self.settle(&inquiry, DnsOutcome::Malformed("truncated".into()), now);
                }
            }
        }
        self.events = events;
    }

    fn settle(&mut self, inquiry: &Inquiry, outcome: DnsOutcome, now: Instant) {
        self.flying = self.flying.saturating_sub(1);
        match self.silence.take(&outcome, inquiry.asked, now) {
            Turn::Same => {}
            Turn::Speaks => self.window = self.wide,
            // Those that are under way may still be answered.
            Turn::Left => self.answers.extend(self.waiting.drain(..).map(|ask| (ask.number, DnsOutcome::GivenUp))),
        }
        self.answers.push((inquiry.ask.number, outcome));
    }
}

type Aside = BoxFuture<'static, (Inquiry, DnsOutcome)>;

fn over_stream(inquiry: Inquiry, stream: Arc<Stream>, after_truncation: bool) -> Aside {
    Box::pin(inquiry.over(after_truncation, move |question| {
        let stream = stream.clone();
        async move { stream.ask(&question).await }
    }))
}

fn over_https(inquiry: Inquiry, https: Arc<Https>) -> Aside {
    Box::pin(inquiry.over(false, move |question| {
        let https = https.clone();
        async move { https.ask(&question).await }
    }))
}
