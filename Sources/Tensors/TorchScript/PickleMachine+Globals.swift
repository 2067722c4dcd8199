// SPDX-License-Identifier: Apache-2.0

// What a pickle calls by name, and what that gives.
extension PickleMachine {
  func global(_ module: String, _ name: String) throws(PickleFault) -> PickleValue {
    switch (module, name) {
    case ("torch._utils", "_rebuild_tensor_v2"): return .global(.tensor(isQuantized: false))
    case ("torch._utils", "_rebuild_qtensor"): return .global(.tensor(isQuantized: true))
    case ("collections", "OrderedDict"): return .global(.hooks)
    case ("builtins", "complex"): return .global(.complex)
    case ("torch", "device"): return .global(.device)
    case ("torch", "per_tensor_affine"): return .scheme(.byTensor)
    case ("torch", "per_channel_affine"), ("torch", "per_channel_affine_float_qparams"):
      return .scheme(.byChannel)
    case ("torch.jit._pickle", "restore_type_tag"): return .global(.tag)
    case ("torch.jit._pickle", _):
      if let kind = PickleGlobal.ListKind(rawValue: name) { return .global(.list(kind)) }
    case ("torch", _):
      if let elements = PickledElements(storage: name) { return .elements(elements) }
      if name.hasSuffix("Storage") {
        throw fault("holds elements of type \(name.dropLast(7)), which cannot be taken")
      }
    default:
      guard module == "__torch__" || module.hasPrefix("__torch__.") else { break }
      guard surroundings.hasClass("\(module).\(name)") else {
        throw fault("names the class \(module).\(name), whose code is not there")
      }
      return .global(.type)
    }
    throw fault("calls \(module).\(name), which TorchScript does not use")
  }

  /// What a call gives; arguments that LibTorch would take by force are refused.
  func result(
    of global: PickleGlobal, _ argument: PickleValue
  ) throws(PickleFault) -> PickleValue {
    switch global {
    case .type:
      switch argument {
      case .integer, .float, .text: return .object(depth: 1)
      default: throw fault("makes a choice of an enumeration that cannot be one")
      }
    case .tensor(let isQuantized): return .tensor(try tensor(argument, isQuantized))
    case .hooks:
      guard argument.members?.isEmpty == true else { throw fault("has hooks that are something") }
      return .none
    case .complex:
      guard let parts = argument.members, parts.count == 2,
        parts.allSatisfy({ if case .float = $0 { true } else { false } })
      else { throw fault("has a complex number that is none") }
      return .complex
    case .device:
      guard let parts = argument.members, parts.count == 1, let name = parts[0].string,
        Self.isDevice(name)
      else { throw fault("has a device that is none") }
      return .device
    case .list(let kind):
      guard let parts = argument.members, parts.count == 1, case .list(let list) = parts[0],
        list.members.allSatisfy(kind.takes)
      else { throw fault("has a list of something else than it says") }
      return parts[0]
    case .tag: return try tagged(argument)
    }
  }

  private static func isDevice(_ name: String) -> Bool {
    let parts = name.split(separator: ":", maxSplits: 1)
    guard let kind = parts.first, kind.allSatisfy({ $0.isASCII && $0.isLetter }) else {
      return false
    }
    return parts.count == 1 || (parts[1].count < 4 && Int(parts[1]) != nil)
  }

  /// A list or a dictionary with the type it has in the program.
  private func tagged(_ argument: PickleValue) throws(PickleFault) -> PickleValue {
    guard let parts = argument.members, parts.count == 2, let type = parts[1].string else {
      throw fault("has a type that is none")
    }
    var depth = 0
    for byte in type.utf8 {
      if byte == UInt8(ascii: "[") { depth += 1 }
      if byte == UInt8(ascii: "]") { depth -= 1 }
      guard (0...32).contains(depth) else { throw fault("has a type that is none") }
    }
    switch parts[0] {
    case .list where type.hasPrefix("List["): return parts[0]
    case .dictionary where type.hasPrefix("Dict["): return parts[0]
    default: throw fault("has a value that is no \(type)")
    }
  }

  /// A storage, whose record must have the size that is said of it.
  func storage(_ argument: PickleValue) throws(PickleFault) -> PickledStorage {
    guard let parts = argument.members, parts.count == 5, parts[0].string == "storage",
      case .elements(let elements) = parts[1], let key = parts[2].string,
      let device = parts[3].string, Self.isDevice(device), let count = parts[4].number, count >= 0
    else { throw fault("has a storage that is none") }
    let (size, overflow) = count.multipliedReportingOverflow(by: elements.byteCount)
    guard !overflow else { throw fault("has a storage of an impossible size") }
    if count > 0 {
      guard let found = surroundings.storage(key) else {
        throw fault("names the tensor \(SafetensorsError.escaped(key)), which is not there")
      }
      guard found.count == size else {
        throw fault(
          "says that \(found.record) has \(count) elements of type \(elements.name), which are "
            + "\(size) bytes, and it has \(found.count)")
      }
    }
    return PickledStorage(elements: elements, count: count)
  }

  private func tensor(
    _ argument: PickleValue, _ isQuantized: Bool
  ) throws(PickleFault) -> PickledTensor {
    guard let parts = argument.members, parts.count >= 6, case .storage(let storage) = parts[0],
      let offset = parts[1].number, let sizes = parts[2].counts, let strides = parts[3].counts,
      storage.elements.isQuantized == isQuantized
    else { throw fault("has a tensor that is none") }
    guard
      let tensor = PickledTensor(storage, offset: offset, sizes: sizes, strides: strides)
    else { throw fault("has a tensor of sizes \(sizes) that reaches beyond its storage") }
    var rest = parts[4...]
    if isQuantized { try check(quantization: rest.removeFirst(), of: tensor) }
    guard rest.count >= 2, rest.removeFirst().isBool, case .none = rest.removeFirst(),
      rest.count <= (isQuantized ? 0 : 1), rest.allSatisfy(Self.isOfFlags)
    else { throw fault("has a tensor that is none") }
    return tensor
  }

  /// Whether it says of a tensor whether it is conjugated or negated.
  private static func isOfFlags(_ value: PickleValue) -> Bool {
    guard case .dictionary(let flags) = value else { return false }
    return flags.members.enumerated().allSatisfy { index, member in
      index % 2 == 0 ? ["conj", "neg"].contains(member.string) : member.isBool
    }
  }

  private func check(
    quantization: PickleValue, of tensor: PickledTensor
  ) throws(PickleFault) {
    guard let parts = quantization.members, case .scheme(let scheme) = parts.first else {
      throw fault("has a quantized tensor that is none")
    }
    switch scheme {
    case .byTensor:
      if parts.count == 3, case .float = parts[1], parts[2].number != nil { return }
    case .byChannel:
      if parts.count == 4, case .tensor(let scales) = parts[1], case .tensor(let zeros) = parts[2],
        let axis = parts[3].number, axis >= 0, axis < tensor.sizes.count,
        scales.sizes == [tensor.sizes[Int(axis)]], zeros.sizes == scales.sizes
      {
        return
      }
    }
    throw fault("has a quantized tensor that is none")
  }
}
