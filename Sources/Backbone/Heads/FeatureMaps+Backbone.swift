// SPDX-License-Identifier: Apache-2.0

public import Tensors

extension FeatureMaps {
  /// What the named stages of `backbone` give for `input`; the last stage where none is named.
  ///
  /// `input` is what the first stage reads: N × C × H × W where the backbone takes batches, else
  /// 1 × C × H × W. Stages behind the last one that is named are not run.
  ///
  /// - Throws: `BackboneError` for a stage that is not there.
  public init(of input: Tensor, after names: [String], through backbone: some Backbone) throws {
    self.init()
    let names = names.isEmpty ? backbone.stages.suffix(1).map(\.name) : names
    let ends = try names.map { try backbone.index(ofStage: $0) + 1 }
    var (features, done) = (Features(input), 0)
    for end in Set(ends).sorted() {
      features = try backbone.run(done..<end, on: features)
      done = end
      self[backbone.stages[end - 1].name] = features.main
    }
  }
}

extension Backbone {
  /// What a head that reads the named stages is given; the last stage where none is named.
  ///
  /// The numbers of channels are those seen on an empty picture.
  ///
  /// - Throws: `BackboneError` for a stage that is not there.
  public func headInputs(after names: [String]) throws -> [HeadInput] {
    let names = names.isEmpty ? stages.suffix(1).map(\.name) : names
    return try names.map { name in
      HeadInput(
        stage: name, channels: try channels(after: name),
        stride: stages[try index(ofStage: name)].stride)
    }
  }
}
