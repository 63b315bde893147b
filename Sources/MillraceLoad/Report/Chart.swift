import CKernels

/// A line chart as SVG: it needs nothing but a browser.
struct Chart {
    struct Series {
        var name: String
        var color: String
        var points: [(x: Double, y: Double)]
    }

    struct Axis {
        var title: String
        var isLogarithmic = false
        /// Places with a grid line and a label.
        var ticks: [(value: Double, label: String)]

        var range: ClosedRange<Double> { (ticks.first?.value ?? 0)...(ticks.last?.value ?? 1) }

        /// 0 … 1 along the axis.
        func place(_ value: Double) -> Double {
            let (low, high) = (range.lowerBound, range.upperBound)
            guard high > low else { return 0 }
            if !isLogarithmic { return (value - low) / (high - low) }
            return (millrace_log(max(value, low)) - millrace_log(low)) / (millrace_log(high) - millrace_log(low))
        }
    }

    var title: String
    var x: Axis
    var y: Axis
    var series: [Series]

    private static let (width, height) = (860.0, 300.0)
    private static let (left, right, top, bottom) = (84.0, 16.0, 34.0, 42.0)

    func svg() -> String {
        let (plotWidth, plotHeight) = (Self.width - Self.left - Self.right, Self.height - Self.top - Self.bottom)
        func across(_ value: Double) -> String { Figures.fixed(Self.left + x.place(value) * plotWidth, 1) }
        func up(_ value: Double) -> String { Figures.fixed(Self.top + (1 - y.place(value)) * plotHeight, 1) }
        var parts = [
            "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" aria-label=\"\(HTML.escaped(title))\">",
            "<text class=\"title\" x=\"\(Self.left)\" y=\"16\">\(HTML.escaped(title))</text>",
        ]
        for tick in x.ticks {
            let place = across(tick.value)
            parts.append(
                "<line class=\"grid\" x1=\"\(place)\" x2=\"\(place)\" y1=\"\(Self.top)\" y2=\"\(Self.top + plotHeight)\"/>")
            parts.append(
                "<text class=\"tick\" text-anchor=\"middle\" x=\"\(place)\" y=\"\(Self.top + plotHeight + 16)\">\(tick.label)</text>"
            )
        }
        for tick in y.ticks {
            let place = up(tick.value)
            parts.append(
                "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(place)\" y2=\"\(place)\"/>")
            parts.append(
                "<text class=\"tick\" text-anchor=\"end\" x=\"\(Self.left - 8)\" y=\"\(place)\" dy=\"4\">\(tick.label)</text>")
        }
        parts.append(
            "<text class=\"tick\" text-anchor=\"middle\" x=\"\(Self.left + plotWidth / 2)\" y=\"\(Self.height - 6)\">\(x.title)</text>"
        )
        var legend = Self.width - Self.right
        for line in series.reversed() {
            legend -= Double(line.name.count) * 7 + 30
            parts.append("<rect x=\"\(legend)\" y=\"8\" width=\"12\" height=\"4\" fill=\"\(line.color)\"/>")
            parts.append("<text class=\"tick\" x=\"\(legend + 18)\" y=\"14\">\(HTML.escaped(line.name))</text>")
        }
        for line in series {
            let points = line.points.map { "\(across($0.x)),\(up($0.y))" }.joined(separator: " ")
            parts.append("<polyline fill=\"none\" stroke=\"\(line.color)\" stroke-width=\"2\" points=\"\(points)\"/>")
        }
        return (parts + ["</svg>"]).joined(separator: "\n")
    }
}

extension Chart.Axis {
    /// From 0 to something round above `high`.
    static func linear(_ title: String, upTo high: Double, label: (Double) -> String) -> Chart.Axis {
        var step = 1.0
        let wanted = max(high, 1e-9) / 5
        while step < wanted { step *= 10 }
        while step / 2 >= wanted { step /= 2 }
        let count = max(1, Int((high / step).rounded(.up)))
        return Chart.Axis(title: title, ticks: (0...count).map { (Double($0) * step, label(Double($0) * step)) })
    }

    /// Powers of ten around all values.
    static func logarithmic(_ title: String, _ values: [Double], label: (Double) -> String) -> Chart.Axis {
        var low = 1.0
        let (least, greatest) = (values.min() ?? 1, values.max() ?? 10)
        while low * 10 <= least { low *= 10 }
        var ticks = [(low, label(low))]
        while ticks[ticks.count - 1].0 < greatest || ticks.count < 2 {
            let next = ticks[ticks.count - 1].0 * 10
            ticks.append((next, label(next)))
        }
        return Chart.Axis(title: title, isLogarithmic: true, ticks: ticks)
    }
}
