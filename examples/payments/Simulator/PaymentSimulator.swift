/// A stream of card payments with frauds in it, the same for the same seed, in the order of time.
///
/// After the published description of the transaction simulator of the Fraud Detection Handbook (Le Borgne, Siblini,
/// Lebichot, Bontempi, 2022, chapter "Simulated dataset"); none of its code and none of its data.
///
/// - Customers live somewhere on a 100 × 100 map, spend an amount of their own on average (5 to 100, spread by half of
///   it) and pay a number of times a day of their own (0 to 4), mostly around noon, at terminals within 5 of their home.
/// - Fraud, of three kinds: every amount above 220; everything at two terminals drawn each day, for 28 days (a skimmed
///   terminal); a third of the payments of three customers drawn each day, for 14 days, at five times the amount (a
///   stolen card number).
public struct PaymentSimulator: Sequence, IteratorProtocol {
    public static let customerCountDefault = 1_000
    public static let terminalCountDefault = 400

    /// 2024-01-01: long past, so that no server takes a payment for one of the future.
    public static let sampleStartMicroseconds: Int64 = 1_704_067_200_000_000
    /// The stream of the demo and of payments.csv.
    public static var sample: PaymentSimulator { PaymentSimulator(seed: 7, startMicroseconds: sampleStartMicroseconds) }

    private static let suspiciousAmount = 220.0
    private static let compromisedTerminalsPerDay = 2
    private static let compromisedTerminalDays = 28
    private static let stolenCardsPerDay = 3
    private static let stolenCardDays = 14
    private static let stolenCardFactor = 5.0
    private static let secondsPerDay: Int64 = 86_400

    private var random: SplitMix64
    private let customers: [Customer]
    private let firstMidnightMicroseconds: Int64
    private var day = 0
    /// The day's payments, latest first: the next one is taken off the end.
    private var pending: [Payment] = []
    /// Terminal → the day on which it is clean again.
    private var compromisedTerminals: [Int64: Int] = [:]
    /// Card → the day on which its thief stops.
    private var stolenCards: [Int64: Int] = [:]
    private let terminalCount: Int

    /// - Parameter startMicroseconds: since 1970; the stream starts at the midnight (UTC) before it.
    public init(
        seed: UInt64, startMicroseconds: Int64, customerCount: Int = customerCountDefault,
        terminalCount: Int = terminalCountDefault
    ) {
        precondition(customerCount > 0 && terminalCount > 0, "there is nobody to pay, or nowhere to pay")
        var random = SplitMix64(state: seed)
        let terminals = (0..<terminalCount).map { _ in Place(using: &random) }
        customers = (0..<customerCount).map { number in
            Customer(number: number, terminals: terminals, using: &random)
        }
        self.random = random
        self.terminalCount = terminalCount
        let microsecondsPerDay = Self.secondsPerDay * 1_000_000
        firstMidnightMicroseconds = startMicroseconds / microsecondsPerDay * microsecondsPerDay
    }

    /// The next payment; the stream has no end.
    public mutating func next() -> Payment? {
        while pending.isEmpty {
            pending = paymentsOfDay()
            day += 1
        }
        return pending.popLast()
    }

    private mutating func paymentsOfDay() -> [Payment] {
        drawFrauds()
        var payments: [Payment] = []
        for customer in customers {
            for _ in 0..<random.count(mean: customer.paymentsPerDay) {
                if let payment = payment(of: customer) { payments.append(payment) }
            }
        }
        // Two payments of a microsecond are told apart by card, so that the order is the seed's alone.
        payments.sort { ($0.timeMicroseconds, $0.card) > ($1.timeMicroseconds, $1.card) }
        return payments
    }

    private mutating func drawFrauds() {
        compromisedTerminals = compromisedTerminals.filter { $0.value > day }
        stolenCards = stolenCards.filter { $0.value > day }
        for _ in 0..<Self.compromisedTerminalsPerDay {
            compromisedTerminals[Int64.random(in: 0..<Int64(terminalCount), using: &random)] = day + Self.compromisedTerminalDays
        }
        for _ in 0..<Self.stolenCardsPerDay {
            let victim = customers[Int.random(in: 0..<customers.count, using: &random)]
            stolenCards[victim.card] = day + Self.stolenCardDays
        }
    }

    /// Nil where the drawn time of day falls outside of the day, or nobody sells anything near the customer's home.
    private mutating func payment(of customer: Customer) -> Payment? {
        let second = random.normal(mean: 43_200, deviation: 20_000)
        guard second > 0, second < Double(Self.secondsPerDay), let terminal = customer.terminals.randomElement(using: &random)
        else { return nil }

        var amount = random.normal(mean: customer.amountMean, deviation: customer.amountMean / 2)
        if amount < 0 { amount = Double.random(in: 0..<2 * customer.amountMean, using: &random) }
        var fraud: Payment.Fraud?
        if amount > Self.suspiciousAmount { fraud = .largeAmount }
        if compromisedTerminals[terminal] != nil { fraud = .compromisedTerminal }
        if stolenCards[customer.card] != nil, Int.random(in: 0..<3, using: &random) == 0 {
            amount *= Self.stolenCardFactor
            fraud = .stolenCard
        }
        return Payment(
            timeMicroseconds: firstMidnightMicroseconds + Int64(day) * Self.secondsPerDay * 1_000_000 + Int64(second * 1_000_000),
            card: customer.card, terminal: terminal, amount: (amount * 100).rounded() / 100, fraud: fraud)
    }
}
