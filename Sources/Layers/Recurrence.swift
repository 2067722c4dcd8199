// SPDX-License-Identifier: Apache-2.0

public import Tensors

/// A weighted sum of N × inputs and an offset: N × outputs.
public struct Linear: Sendable {
  /// outputs × inputs.
  public let weight: Tensor
  /// One number an output.
  public let bias: Tensor

  /// A layer whose parameters are drawn or read in `scope`; the bias is drawn as zeros.
  public init(
    _ inputs: Int, _ outputs: Int, initialisation: Initialisation = .glorotUniform,
    in scope: ParameterScope
  ) throws {
    weight = try scope.parameter("weight", [outputs, inputs], .weight, initialisation)
    bias = try scope.parameter("bias", [outputs], .offset, .constant(0))
  }

  /// N × inputs made N × outputs; the ledger is told the MACs.
  public func callAsFunction(_ input: Tensor, in pass: ForwardContext) throws(TensorError) -> Tensor
  {
    pass.ledger?.add(macs: input.shape[0] * weight.count)
    return try input.matmul(weight.transposed()) + bias
  }
}

/// A long short-term memory, one step at a time (Hochreiter and Schmidhuber, 1997, with the gates
/// of Gers et al., 2000).
///
///     i, f, g, o = σ, σ, tanh, σ (W x + U h + b)
///     c = f ⊙ c + i ⊙ g          h = o ⊙ tanh(c)
///
/// The forget gate's offset begins as 1, so that a memory lasts before it is taught to.
public struct LSTMCell: Sendable {
  /// Numbers in the memory, and in the output.
  public let size: Int
  private let fromInput: Linear
  /// 4 · size × size: of the input gate, the forget gate, the candidate and the output gate.
  private let fromMemory: Tensor

  /// What one step leaves to the next: N × size each.
  public struct State: Sendable {
    /// What is given on, and what is kept.
    public var output: Tensor, memory: Tensor

    /// A state of two tensors, N × size each.
    public init(output: Tensor, memory: Tensor) { (self.output, self.memory) = (output, memory) }
  }

  /// A cell of `inputs` numbers a step and a memory of `size`, at least 1, drawn or read in
  /// `scope`.
  public init(_ inputs: Int, _ size: Int, in scope: ParameterScope) throws {
    precondition(size >= 1, "a memory of \(size)")
    self.size = size
    fromInput = try Linear(inputs, 4 * size, in: scope["input"])
    fromMemory = try scope["memory"].parameter(
      "weight", [4 * size, size], .weight, .glorotUniform)
  }

  /// Before the first step of `count` sequences: nothing.
  public func start(_ count: Int) throws(TensorError) -> State {
    let nothing = try Tensor.zeros([count, size]).to(fromMemory.device)
    return State(output: nothing, memory: nothing)
  }

  /// The state after one more `input`, N × inputs.
  public func callAsFunction(
    _ input: Tensor, after state: State, in pass: ForwardContext
  ) throws(TensorError) -> State {
    pass.ledger?.add(macs: input.shape[0] * fromMemory.count)
    let gates = try (fromInput(input, in: pass) + state.output.matmul(fromMemory.transposed()))
      .chunked(into: 4, axis: 1)
    let kept = try (gates[1] + 1).sigmoid() * state.memory
    let memory = try kept + gates[0].sigmoid() * gates[2].tanh()
    return State(output: try gates[3].sigmoid() * memory.tanh(), memory: memory)
  }
}
