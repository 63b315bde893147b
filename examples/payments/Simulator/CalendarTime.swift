/// A moment as `2026-01-31 23:59:59`, UTC. Days to date by Howard Hinnant's `civil_from_days` (public domain algorithm).
public struct CalendarTime {
    public let text: String
    /// Microseconds within the second.
    let fractionMicroseconds: Int64

    public init(microseconds: Int64) {
        let seconds = Int(microseconds / 1_000_000)
        fractionMicroseconds = microseconds % 1_000_000
        let secondOfDay = seconds % 86_400
        let shifted = seconds / 86_400 + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let twoDigits = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(year)-\(twoDigits(month))-\(twoDigits(day))"
        let time = "\(twoDigits(secondOfDay / 3_600)):\(twoDigits(secondOfDay / 60 % 60)):\(twoDigits(secondOfDay % 60))"
        text = "\(date) \(time)"
    }
}
