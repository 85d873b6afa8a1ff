//! Dialogues before TLS, both sides, as short as real servers hold them.

use coexist::model::service::Protocol;
use tokio::io::{self, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A dialogue: the server speaks first, and the client's commands stand between what it says.
pub struct Dialogue {
    /// Its protocol.
    pub protocol: Protocol,
    replies: &'static [&'static str],
    commands: &'static [&'static str],
}

/// Those of mail (RFC 3207, RFC 9051 section 6.2.1, RFC 2595 section 4).
pub const ALL: [Dialogue; 3] = [
    Dialogue {
        protocol: Protocol::Smtp,
        replies: &["220 bench ESMTP\r\n", "250-bench\r\n250 STARTTLS\r\n", "220 go ahead\r\n"],
        commands: &["EHLO bench\r\n", "STARTTLS\r\n"],
    },
    Dialogue {
        protocol: Protocol::Imap,
        replies: &["* OK [CAPABILITY IMAP4rev1 STARTTLS] bench\r\n", "a2 OK go ahead\r\n"],
        commands: &["a2 STARTTLS\r\n"],
    },
    Dialogue {
        protocol: Protocol::Pop3,
        replies: &["+OK bench\r\n", "+OK\r\nUIDL\r\nSTLS\r\n.\r\n", "+OK go ahead\r\n"],
        commands: &["CAPA\r\n", "STLS\r\n"],
    },
];

impl Dialogue {
    /// The server's part.
    pub async fn answer(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        for (i, reply) in self.replies.iter().enumerate() {
            stream.write_all(reply.as_bytes()).await?;
            if i < self.commands.len() {
                while stream.read_u8().await? != b'\n' {}
            }
        }
        Ok(())
    }

    /// The client's part, trusting the server to be the bench's.
    pub async fn ask(&self, stream: &mut TcpStream) -> io::Result<()> {
        let mut buffer = [0; 256];
        for (i, reply) in self.replies.iter().enumerate() {
            let mut length = 0;
            while !buffer[..length].ends_with(reply.as_bytes()) {
                length += stream.read(&mut buffer[length..]).await?;
            }
            if let Some(command) = self.commands.get(i) {
                stream.write_all(command.as_bytes()).await?;
            }
        }
        Ok(())
    }
}
