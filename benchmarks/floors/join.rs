// join N cheap|fake sip|fast [spin]: a stream of trades joined with instruments and users, by a ring buffer between two threads.
//
// The producer makes messages: instruments and users, which the consumer keeps in hash maps as formatted texts, and trades, which it
// answers with the texts of their instrument and user. `cheap` is one instrument in ten messages and trades; `fake` a mix with users
// and log lines as well. `sip` is the standard library's hash function, `fast` a multiplication. Where the ring is empty or full
// the threads sleep for 100 µs, or spin. Prints one line of JSON.
use std::cell::UnsafeCell;
use std::collections::hash_map::RandomState;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::hint::{black_box, spin_loop};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::thread;

const TICKERS: [&str; 10] = ["AAPL", "MSFT", "AMZN", "NVDA", "GOOGL", "TSLA", "GOOG", "META", "UNH", "XOM"];
const WORDS: [&str; 8] = ["synergistic", "frictionless", "open-source", "mission-critical", "scalable", "turn-key", "B2B", "cutting-edge"];
const NAMES: [&str; 8] = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Tony", "Leslie"];
const INSTRUMENTS: u32 = 10_000;
const USERS: u32 = 1_000;

enum Side { Buy, Sell }
enum Kind { Call, Put }

enum Message {
    Instrument { id: u32, ticker: String, strike: u32, expiry: u32, kind: Kind },
    Trade { id: u32, instrument: u32, user: u32, price: u32, side: Side },
    User { id: u32, name: String },
    Log { text: String, instrument: u32 },
}

#[allow(dead_code)]
enum Answer {
    Trade { id: u32, instrument: String, user: String, price: u32, side: Side },
    Log { text: String, instrument: String },
}

struct Producer { state: u64, is_fake: bool }

impl Producer {
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn below(&mut self, count: u32) -> u32 { ((self.next() >> 32) * count as u64 >> 32) as u32 }

    fn instrument(&mut self) -> Message {
        let drawn = self.below(1_000);
        Message::Instrument {
            id: self.below(INSTRUMENTS),
            ticker: TICKERS[(drawn % 10) as usize].to_string(),
            strike: drawn,
            expiry: 100_000 + self.below(899_999),
            kind: if drawn & 1 == 0 { Kind::Call } else { Kind::Put },
        }
    }

    fn user(&mut self) -> Message {
        let drawn = self.next();
        let name = format!("{} {}", NAMES[(drawn & 7) as usize], NAMES[(drawn >> 8 & 7) as usize]);
        Message::User { id: self.below(USERS), name }
    }

    fn trade(&mut self) -> Message {
        Message::Trade {
            id: self.below(10_000_000),
            instrument: self.below(INSTRUMENTS),
            user: self.below(10 * USERS),
            price: self.below(100),
            side: if self.next() & 1 == 0 { Side::Buy } else { Side::Sell },
        }
    }

    fn message(&mut self, number: usize) -> Message {
        match number {
            0..=99 => return self.user(),
            100..=1_099 => return self.instrument(),
            _ => {}
        }
        if !self.is_fake {
            return if self.below(10) == 0 { self.instrument() } else { self.trade() };
        }
        match self.below(100) + 1 {
            1..=2 => self.user(),
            3..=10 => self.instrument(),
            11..=55 => self.trade(),
            _ => {
                let word = self.below(8) as usize;
                Message::Log { text: WORDS[word].to_string(), instrument: self.below(INSTRUMENTS) }
            }
        }
    }
}

#[derive(Default)]
struct FastHasher(u64);

impl Hasher for FastHasher {
    fn finish(&self) -> u64 { self.0 }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes { self.0 = (self.0.rotate_left(5) ^ *byte as u64).wrapping_mul(0x517c_c1b7_2722_0a95); }
    }
    fn write_u32(&mut self, value: u32) {
        let hash = (value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = hash ^ (hash >> 32);
    }
}

#[derive(Default)]
struct Join<S: BuildHasher + Default> { instruments: HashMap<u32, String, S>, users: HashMap<u32, String, S>, joined: u64 }

impl<S: BuildHasher + Default> Join<S> {
    #[inline(never)]
    fn process(&mut self, message: Message) -> Option<Answer> {
        match message {
            Message::Instrument { id, ticker, strike, expiry, kind } => {
                let kind = if let Kind::Call = kind { 'C' } else { 'P' };
                self.instruments.insert(id, format!("{ticker}{expiry}{kind}{strike}"));
                None
            }
            Message::User { id, name } => {
                self.users.insert(id, name);
                None
            }
            Message::Trade { id, instrument, user, price, side } => {
                let instrument = self.instruments.get(&instrument)?.clone();
                let user = self.users.get(&user).cloned().unwrap_or_default();
                self.joined += 1;
                Some(Answer::Trade { id, instrument, user, price, side })
            }
            Message::Log { text, instrument } => {
                let instrument = self.instruments.get(&instrument)?.clone();
                self.joined += 1;
                Some(Answer::Log { text, instrument })
            }
        }
    }
}

// One producer, one consumer; each keeps what it last saw of the other's place.
#[repr(align(128))]
struct Line<T>(T);

struct Ring { slots: Box<[UnsafeCell<MaybeUninit<Message>>]>, head: Line<AtomicUsize>, tail: Line<AtomicUsize>, is_done: Line<AtomicBool> }

// A slot is the producer's from `head` + size to `tail`, and the consumer's from `head` to `tail`.
unsafe impl Sync for Ring {}

impl Ring {
    fn new(count: usize) -> Self {
        let slots = (0..count.next_power_of_two()).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
        Ring { slots, head: Line(AtomicUsize::new(0)), tail: Line(AtomicUsize::new(0)), is_done: Line(AtomicBool::new(false)) }
    }
}

fn wait(spins: bool) {
    if spins { spin_loop() } else { thread::sleep(Duration::from_micros(100)) }
}

fn consume<S: BuildHasher + Default>(ring: &Ring, spins: bool) -> u64 {
    let mut join = Join::<S>::default();
    let (mut head, mut tail) = (0, 0);
    loop {
        if head == tail {
            tail = ring.tail.0.load(Acquire);
            if head == tail {
                if ring.is_done.0.load(Acquire) && ring.tail.0.load(Acquire) == head { return join.joined; }
                wait(spins);
                continue;
            }
        }
        let message = unsafe { (*ring.slots[head & (ring.slots.len() - 1)].get()).assume_init_read() };
        head += 1;
        if head & 31 == 0 || head == tail { ring.head.0.store(head, Release); }
        black_box(join.process(message));
    }
}

fn run<S: BuildHasher + Default + Send + 'static>(count: usize, is_fake: bool, spins: bool) -> (f64, u64) {
    let ring = Arc::new(Ring::new((count / 1_000).clamp(1_000, 100_000)));
    let mut producer = Producer { state: 88_172_645_463_325_252, is_fake };
    let start = Instant::now();
    let shared = ring.clone();
    let consumer = thread::spawn(move || consume::<S>(&shared, spins));
    let (mut tail, mut head) = (0, 0);
    for number in 0..count {
        let message = producer.message(number);
        while tail - head >= ring.slots.len() {
            head = ring.head.0.load(Acquire);
            if tail - head >= ring.slots.len() { wait(spins); }
        }
        unsafe { (*ring.slots[tail & (ring.slots.len() - 1)].get()).write(message) };
        tail += 1;
        ring.tail.0.store(tail, Release);
    }
    ring.is_done.0.store(true, Release);
    let joined = consumer.join().unwrap();
    (start.elapsed().as_secs_f64(), joined)
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if words.len() < 4 {
        eprintln!("usage: join N cheap|fake sip|fast [spin]");
        std::process::exit(2);
    }
    let count: usize = words[1].parse().expect("a number of messages");
    let (is_fake, spins) = (words[2] == "fake", words.get(4).is_some());
    let (seconds, joined) =
        if words[3] == "fast" { run::<BuildHasherDefault<FastHasher>>(count, is_fake, spins) } else { run::<RandomState>(count, is_fake, spins) };
    println!("{{\"messages\": {count}, \"joined\": {joined}, \"seconds\": {seconds:.6}}}");
}
