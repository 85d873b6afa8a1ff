//! A question's bytes, and whether a message answers it.

use hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_resolver::proto::rr;

use super::message::HEADER;
use super::name::WireName;
use crate::model::dns::RecordType;
use crate::model::name::Name;

/// What a resolver may send in one datagram: fits an unfragmented packet on every path (DNS flag day 2020).
const PAYLOAD: u16 = 1232;

/// A question, ready to be sent but for its id.
#[derive(Clone)]
pub struct Question {
    message: Message,
    pub(super) name: WireName,
    pub(super) kind: RecordType,
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
    /// A question with recursion desired, and EDNS unless the resolver does not know it.
    pub fn new(name: &Name, kind: RecordType, edns: bool) -> Result<Self, String> {
        let owner = rr::Name::from_ascii(format!("{}.", name.probe())).map_err(|e| e.to_string())?;
        let mut message = Message::new(0, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        // RFC 6840 section 5.7: "tell me whether you have authenticated it"
        message.metadata.authentic_data = true;
        message.add_query(Query::query(owner, wire_type(kind)));
        if edns {
            let mut extension = Edns::new();
            extension.set_max_payload(PAYLOAD);
            message.set_edns(extension);
        }
        let bytes = message.to_vec().map_err(|e| e.to_string())?;
        let (name, _) = WireName::read(&bytes, HEADER)?;
        Ok(Self { message, name, kind, bytes })
    }

    /// The question as a message, its id zero.
    pub fn message(&self) -> Message {
        self.message.clone()
    }

    /// The question's bytes under an id.
    pub fn with_id(&self, id: u16) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if let Some(place) = bytes.get_mut(..2) {
            place.copy_from_slice(&id.to_be_bytes());
        }
        bytes
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

fn wire_type(kind: RecordType) -> rr::RecordType {
    match kind {
        RecordType::A => rr::RecordType::A,
        RecordType::Aaaa => rr::RecordType::AAAA,
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
