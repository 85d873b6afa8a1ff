//! Mutations that are the same in every run: bits, bytes, pieces and words.

/// Inputs longer than this are cut: what is long is slow, and rarely finds more.
const LONGEST: usize = 8 * 1024;

/// Endless mutations of a corpus.
pub struct Mutations<'a> {
    corpus: &'a [Vec<u8>],
    words: &'a [&'a str],
    state: u64,
}

impl<'a> Mutations<'a> {
    /// Of a corpus that is not empty, with words that are put in.
    pub fn of(corpus: &'a [Vec<u8>], words: &'a [&'a str]) -> Self {
        Self { corpus, words, state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// A number below another (xorshift64).
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).expect("31 bits") % end.max(1)
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let (at, length) = (self.below(input.len()), self.below(32));
        let end = (at + length).min(input.len());
        match self.below(8) {
            0 | 1 if !input.is_empty() => input[at] ^= 1 << self.below(8),
            2 if !input.is_empty() => input[at] = [0, 0x7f, 0x80, 0xff, b'\n'][self.below(5)],
            3 => input.truncate(at),
            4 => drop(input.drain(at..end)),
            5 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece.repeat(1 + self.below(3)));
            }
            6 => {
                let other = &self.corpus[self.below(self.corpus.len())];
                let from = self.below(other.len());
                let piece = other[from..(from + length * 4).min(other.len())].to_vec();
                input.splice(at..end, piece);
            }
            _ => {
                let word = self.words[self.below(self.words.len())];
                input.splice(at..at, word.bytes());
            }
        }
        input.truncate(LONGEST);
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.corpus[self.below(self.corpus.len())].clone();
        for _ in 0..=self.below(4) {
            self.mutate(&mut input);
        }
        Some(input)
    }
}
