// SPDX-License-Identifier: GPL-3.0-or-later

/// The newest of what came, as many as there is room for: memory is taken once.
struct Rolling<Element: Sendable>: Sendable {
    private let capacity: Int
    private var elements: [Element] = []
    /// The place of the oldest, once it is full.
    private var oldest = 0

    init(capacity: Int) {
        self.capacity = max(1, capacity)
        elements.reserveCapacity(self.capacity)
    }

    mutating func add(_ element: Element) {
        if elements.count < capacity {
            elements.append(element)
        } else {
            elements[oldest] = element
            oldest = (oldest + 1) % capacity
        }
    }

    /// In the order in which they came.
    var inOrder: [Element] { Array(elements[oldest...] + elements[..<oldest]) }
}
