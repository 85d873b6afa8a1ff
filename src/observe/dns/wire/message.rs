//! A message's records, as far as they matter here (RFC 1035 section 4.1). Every record has to be whole.

use std::net::IpAddr;

use super::name::WireName;
use crate::model::dane::Tlsa;
use crate::model::dns::RecordType;
use crate::model::dnssec::{Dnskey, Ds};
use crate::model::records::{RecordData, escape_octets};
use crate::model::rrsig::Rrsig;
use crate::model::svcb::Svcb;

/// The length of a message's header (RFC 1035 section 4.1.1).
pub const HEADER: usize = 12;

/// The class IN.
const INTERNET: u16 = 1;

/// A message without its questions, and of its additional records no more than what a referral needs.
pub struct Message {
    /// The response code, with its upper bits of the OPT record (RFC 6891 section 6.1.3).
    pub code: u16,
    /// The AA bit.
    pub authoritative: bool,
    /// The RA bit.
    pub recursion_available: bool,
    /// The AD bit.
    pub authenticated: bool,
    /// The DO bit of the OPT record: who sent it speaks of signatures (RFC 3225 section 3).
    pub speaks_dnssec: bool,
    /// The records of the class IN in the answer section.
    pub answers: Vec<Record>,
    /// The same in the authority section.
    pub authorities: Vec<Record>,
    /// The addresses in the additional section, where servers stand in the authority section and nothing answers.
    pub glue: Vec<Record>,
}

/// A record.
pub struct Record {
    pub owner: WireName,
    pub ttl: u32,
    pub data: Data,
}

/// What a record says.
pub enum Data {
    Address(IpAddr),
    Alias(WireName),
    /// Of a type that is neither an address nor leads to one.
    Record(RecordData),
    Soa(Soa),
    /// Of a type that is asked for.
    Signature(Rrsig),
    /// Upper bits of the response code, and DO.
    Opt(u8, bool),
    Other,
}

/// A zone's head (RFC 1035 section 3.3.13).
pub struct Soa {
    pub primary: WireName,
    contact: WireName,
    pub serial: u32,
    /// REFRESH, RETRY, EXPIRE.
    times: [u32; 3],
    pub minimum: u32,
}

impl Soa {
    /// Its RDATA in canonical form (RFC 4034 section 6.2).
    pub fn canonical(&self) -> Vec<u8> {
        let [refresh, retry, expire] = self.times;
        let numbers = [self.serial, refresh, retry, expire, self.minimum].map(u32::to_be_bytes).concat();
        [self.primary.octets(), self.contact.octets(), &numbers].concat()
    }
}

/// A place in a message.
struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl Message {
    /// Reads a message to the end of its last section.
    pub fn read(message: &[u8]) -> Result<Self, &'static str> {
        let mut reader = Reader { message, at: 0 };
        let [_, flags, questions, answers, authorities, additional] = reader.header()?;
        for _ in 0..questions {
            reader.name()?;
            reader.take(4)?;
        }
        let answers = reader.section(answers)?;
        let authorities = reader.section(authorities)?;
        let refers = answers.is_empty() && authorities.iter().any(Record::is_ns);
        let (mut code, mut glue, mut speaks_dnssec) = (flags & 0x0f, Vec::new(), false);
        for _ in 0..additional {
            match reader.record()? {
                (_, Record { data: Data::Opt(upper, speaks), .. }) => {
                    code |= u16::from(upper) << 4;
                    speaks_dnssec |= speaks;
                }
                (INTERNET, record) if refers && matches!(record.data, Data::Address(_)) => glue.push(record),
                _ => {}
            }
        }
        Ok(Self {
            code,
            authoritative: flags & 0x0400 != 0,
            recursion_available: flags & 0x0080 != 0,
            authenticated: flags & 0x0020 != 0,
            speaks_dnssec,
            answers,
            authorities,
            glue,
        })
    }
}

impl Record {
    /// True of a server's name.
    pub fn is_ns(&self) -> bool {
        matches!(self.data, Data::Record(RecordData::Ns(_)))
    }
}

impl<'a> Reader<'a> {
    fn header(&mut self) -> Result<[u16; 6], &'static str> {
        let mut out = [0; 6];
        for field in &mut out {
            *field = self.number()?;
        }
        Ok(out)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let taken = self.message.get(self.at..).and_then(|rest| rest.get(..length));
        self.at += length;
        taken.ok_or("it ends before its records do")
    }

    fn number(&mut self) -> Result<u16, &'static str> {
        let bytes = self.take(2)?;
        Ok(bytes.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte)))
    }

    fn long(&mut self) -> Result<u32, &'static str> {
        Ok(u32::from(self.number()?) << 16 | u32::from(self.number()?))
    }

    fn name(&mut self) -> Result<WireName, &'static str> {
        let (name, behind) = WireName::read(self.message, self.at)?;
        self.at = behind;
        Ok(name)
    }

    /// The records of the class IN. What a header claims reserves no room.
    fn section(&mut self, count: u16) -> Result<Vec<Record>, &'static str> {
        let mut out = Vec::new();
        for _ in 0..count {
            let (class, record) = self.record()?;
            if class == INTERNET {
                out.push(record);
            }
        }
        Ok(out)
    }

    fn record(&mut self) -> Result<(u16, Record), &'static str> {
        let owner = self.name()?;
        let (kind, class, ttl) = (self.number()?, self.number()?, self.long()?);
        let length = usize::from(self.number()?);
        let end = self.at + length;
        let data = match kind {
            1 | 28 => Data::Address(address(kind, self.take(length)?)?),
            2 => Data::Record(RecordData::Ns(self.name()?.text())),
            5 => Data::Alias(self.name()?),
            6 => self.soa()?,
            12 => Data::Record(RecordData::Ptr(self.name()?.text())),
            15 => Data::Record(self.mx()?),
            16 => Data::Record(RecordData::Txt(self.text(end)?)),
            33 => Data::Record(self.srv()?),
            43 => Data::Record(self.ds(end)?),
            48 => Data::Record(self.dnskey(end)?),
            52 => Data::Record(self.tlsa(end)?),
            65 => Data::Record(self.https(end)?),
            257 => Data::Record(self.caa(end)?),
            46 => self.rrsig(end)?,
            41 => Data::Opt(ttl.to_be_bytes()[0], ttl & 0x8000 != 0),
            _ => Data::Other,
        };
        let is_whole = match data {
            Data::Alias(_) | Data::Soa(_) | Data::Signature(_) | Data::Record(_) => self.at == end,
            _ => end <= self.message.len(),
        };
        self.at = end;
        match is_whole {
            // RFC 2181 section 8: with its highest bit set, a TTL is none.
            true => Ok((class, Record { owner, ttl: if ttl > i32::MAX as u32 { 0 } else { ttl }, data })),
            false => Err("a record whose length is not that of its data"),
        }
    }

    /// RFC 1035 section 3.3.13.
    fn soa(&mut self) -> Result<Data, &'static str> {
        let (primary, contact, serial) = (self.name()?, self.name()?, self.long()?);
        let times = [self.long()?, self.long()?, self.long()?];
        Ok(Data::Soa(Soa { primary, contact, serial, times, minimum: self.long()? }))
    }

    /// RFC 1035 section 3.3.9.
    fn mx(&mut self) -> Result<RecordData, &'static str> {
        Ok(RecordData::Mx { preference: self.number()?, exchange: self.name()?.text() })
    }

    /// RFC 2782.
    fn srv(&mut self) -> Result<RecordData, &'static str> {
        let (priority, weight, port) = (self.number()?, self.number()?, self.number()?);
        Ok(RecordData::Srv { priority, weight, port, target: self.name()?.text() })
    }

    /// RFC 9460 section 2.2.
    fn https(&mut self, end: usize) -> Result<RecordData, &'static str> {
        let (priority, target) = (self.number()?, self.name()?.text());
        let mut parameters: Vec<(u16, &[u8])> = Vec::new();
        while self.at < end {
            let (key, length) = (self.number()?, self.number()?);
            parameters.push((key, self.take(usize::from(length))?));
        }
        let read = Svcb::of_octets(priority, target, &parameters).map(RecordData::Https);
        read.ok_or("an HTTPS record whose parameters are none")
    }

    /// RFC 4034 section 5.1.
    fn ds(&mut self, end: usize) -> Result<RecordData, &'static str> {
        let (key_tag, algorithm, digest_type) = (self.number()?, self.octet()?, self.octet()?);
        let digest = self.take(end.saturating_sub(self.at))?.to_vec();
        Ok(RecordData::Ds(Ds { key_tag, algorithm, digest_type, digest }))
    }

    /// RFC 4034 section 2.1.
    fn dnskey(&mut self, end: usize) -> Result<RecordData, &'static str> {
        let (flags, protocol, algorithm) = (self.number()?, self.octet()?, self.octet()?);
        let key = self.take(end.saturating_sub(self.at))?.to_vec();
        Ok(RecordData::Dnskey(Dnskey { flags, protocol, algorithm, key }))
    }

    /// RFC 4034 section 3.1; nothing where it signs what is never asked for.
    fn rrsig(&mut self, end: usize) -> Result<Data, &'static str> {
        let Some(covers) = RecordType::of_number(self.number()?) else {
            self.at = end;
            return Ok(Data::Other);
        };
        let (algorithm, labels, original_ttl) = (self.octet()?, self.octet()?, self.long()?);
        let (expiration, inception, key_tag) = (self.long()?, self.long()?, self.number()?);
        let signer = self.name()?.text();
        let signature = self.take(end.saturating_sub(self.at))?.to_vec();
        Ok(Data::Signature(Rrsig {
            covers,
            algorithm,
            labels,
            original_ttl,
            expiration,
            inception,
            key_tag,
            signer,
            signature,
        }))
    }

    /// RFC 6698 section 2.1.
    fn tlsa(&mut self, end: usize) -> Result<RecordData, &'static str> {
        let (usage, selector, matching) = (self.octet()?, self.octet()?, self.octet()?);
        let association = self.take(end.saturating_sub(self.at))?.to_vec();
        Ok(RecordData::Tlsa(Tlsa { usage, selector, matching, association }))
    }

    /// RFC 8659 section 4.1.
    fn caa(&mut self, end: usize) -> Result<RecordData, &'static str> {
        let flags = self.octet()?;
        let length = self.octet()?;
        let tag = self.take(usize::from(length))?.to_ascii_lowercase();
        let value = self.take(end.saturating_sub(self.at))?;
        Ok(RecordData::Caa { flags, tag: escape_octets(&tag), value: escape_octets(value) })
    }

    /// The strings of a TXT, joined (RFC 1035 section 3.3.14).
    fn text(&mut self, end: usize) -> Result<String, &'static str> {
        let mut octets = Vec::new();
        while self.at < end {
            let length = self.octet()?;
            octets.extend_from_slice(self.take(usize::from(length))?);
        }
        Ok(escape_octets(&octets))
    }

    fn octet(&mut self) -> Result<u8, &'static str> {
        Ok(self.take(1)?.iter().fold(0, |_, byte| *byte))
    }
}

fn address(kind: u16, bytes: &[u8]) -> Result<IpAddr, &'static str> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let sixteen = <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    let address = if kind == 1 { four.ok() } else { sixteen.ok() };
    address.ok_or("an address of a wrong length")
}
