//! A question's bytes, and whether a message answers it.

use hickory_resolver::proto::op::Message;

use super::message::HEADER;
use crate::model::dns::RecordType;
use crate::model::name::Name;

/// What a resolver may send in one datagram: fits an unfragmented packet on every path (DNS flag day 2020).
pub(super) const PAYLOAD: u16 = 1232;

/// A question, ready to be sent.
#[derive(Clone)]
pub struct Question {
    pub(super) kind: RecordType,
    /// It asks for signatures, too.
    pub(super) signed: bool,
    bytes: Vec<u8>,
}

/// What a message is to a question that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Not the answer to it; the wait goes on.
    Foreign,
    /// The answer to it, or something that claims to be.
    Answer,
}

impl Question {
    /// A question with recursion desired, its id zero, and with EDNS unless the resolver does not know it; `unchecked` tells
    /// it to answer what it could not validate, too (CD, RFC 4035 section 3.2.2), and with the signatures by which others can
    /// (DO, RFC 3225).
    pub fn new(name: &Name, kind: RecordType, edns: bool, unchecked: bool) -> Result<Self, String> {
        let mut bytes = Vec::with_capacity(HEADER + name.as_str().len() + 32);
        // RD, and AD: "tell me whether you have authenticated it" (RFC 6840 section 5.7)
        let flags = if unchecked { 0x30 } else { 0x20 };
        bytes.extend([0, 0, 0x01, flags, 0, 1, 0, 0, 0, 0, 0, u8::from(edns)]);
        for label in name.probe().labels() {
            let length = u8::try_from(label.len()).ok().filter(|n| (1..=63).contains(n));
            bytes.push(length.ok_or_else(|| format!("{name} cannot be asked for"))?);
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.push(0);
        bytes.extend(kind.number().to_be_bytes());
        bytes.extend([0, 1]);
        if edns {
            // The root, OPT, the payload in place of the class, DO if any flag, no options (RFC 6891 section 6.1.2).
            let ([high, low], flags) = (PAYLOAD.to_be_bytes(), if unchecked { 0x80 } else { 0 });
            bytes.extend([0, 0, 41, high, low, 0, 0, flags, 0, 0, 0]);
        }
        Ok(Self { kind, signed: unchecked && edns, bytes })
    }

    /// The same for what a server's own zones hold: RD is clear (RFC 1035 section 4.1.1).
    pub fn without_recursion(mut self) -> Self {
        if let Some(flags) = self.bytes.get_mut(2) {
            *flags &= !0x01;
        }
        self
    }

    /// The question as a message, its id zero.
    pub fn message(&self) -> Result<Message, String> {
        Message::from_vec(&self.bytes).map_err(|e| e.to_string())
    }

    /// Gives it an id.
    pub fn set_id(&mut self, id: u16) {
        if let Some(place) = self.bytes.get_mut(..2) {
            place.copy_from_slice(&id.to_be_bytes());
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes under an id.
    pub fn with_id(&self, id: u16) -> Vec<u8> {
        let mut question = self.clone();
        question.set_id(id);
        question.bytes
    }

    /// Compares the question section, names without case; ids are compared before. A response that repeats no question is
    /// taken as an answer: servers that do not understand a query send such errors.
    pub fn fit(&self, answer: &[u8]) -> Fit {
        let (Some(flags), Some(count)) = (answer.get(2), answer.get(4..6)) else { return Fit::Answer };
        let is_response = flags & 0x80 != 0;
        let asked = question_section(&self.bytes);
        let same = answer.get(HEADER..HEADER + asked.len()).is_some_and(|q| q.eq_ignore_ascii_case(asked));
        match (is_response, count) {
            (true, [0, 0]) => Fit::Answer,
            (true, [0, 1]) if same => Fit::Answer,
            _ => Fit::Foreign,
        }
    }
}

/// The question section of a query of ours: a name without compression, its type and class.
fn question_section(query: &[u8]) -> &[u8] {
    let mut end = HEADER;
    while let Some(&length) = query.get(end) {
        end += 1 + usize::from(length);
        if length == 0 {
            break;
        }
    }
    query.get(HEADER..end + 4).unwrap_or_default()
}
