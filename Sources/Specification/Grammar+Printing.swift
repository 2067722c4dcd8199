// SPDX-License-Identifier: Apache-2.0

extension Grammar {
  /// The short text of a canonical spec, which reads back as the same value: `shots:every:10`.
  public func text(of spec: PartSpec, as role: String) -> String {
    guard let descriptor = try? descriptor(of: spec.kind, as: role) else { return "\(spec)" }
    let reading = Reading(descriptor, as: role)
    var (arguments, isInPlace) = ([String](), true)
    for option in descriptor.options {
      guard let value = spec.options[option.name] else {
        // What comes after a gap needs its name.
        if option.isPositional { isInPlace = false }
        continue
      }
      if value == option.standard, !option.isPositional { continue }
      switch option.kind {
      case .flag: arguments.append(value == .bool(true) ? option.name : "\(option.name)=false")
      case .choice where !option.isPositional: arguments.append(ShortText.value(value))
      case _ where option.isPositional && isInPlace:
        arguments.append(inPlace(value, reading))
      default: arguments.append("\(option.name)=\(ShortText.value(value))")
      }
    }
    if let slot = descriptor.slot, let part = spec.parts[slot.name] {
      arguments.append(text(of: part, as: slot.role))
    }
    return arguments.isEmpty ? spec.kind : "\(spec.kind):\(arguments.joined(separator: ","))"
  }

  private func inPlace(_ value: OptionValue, _ reading: Reading) -> String {
    guard case .text(let text) = value else { return ShortText.value(value) }
    return ShortText.text(text) { word in
      reading.descriptor.options.contains {
        if case .flag = $0.kind { return $0.name == word }
        if case .choice(let words) = $0.kind { return !$0.isPositional && words.contains(word) }
        return false
      }
    }
  }
}
