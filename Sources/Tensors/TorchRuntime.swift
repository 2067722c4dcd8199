// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// The LibTorch behind the tensors: which one it is, and how many threads it takes.
public enum TorchRuntime {
  /// Sets how many threads an operation may take, in LibTorch and in the BLAS behind it.
  ///
  /// - Throws: `.badArgument` for less than one.
  public static func setThreads(_ count: Int) throws(TensorError) {
    try check(#function) { ct_set_threads(Int32(clamping: count), &$0) }
  }

  /// How many threads an operation may take.
  public static func threads() throws(TensorError) -> Int {
    var count: Int32 = 0
    try check(#function) { ct_get_threads(&count, &$0) }
    return Int(count)
  }

  /// Runs `body` with at most `count` threads in each operation that it calls from this thread.
  ///
  /// Other threads keep theirs. A BLAS with threads of its own is not told.
  ///
  /// - Throws: what `body` throws, or `.badArgument` for less than one.
  package static func withThreads<Result>(
    _ count: Int, _ body: () throws -> Result
  ) throws -> Result {
    var (before, ignored): (Int32, Int32) = (0, 0)
    try check(#function) { ct_limit_threads(Int32(clamping: count), &before, &$0) }
    defer { try? check(#function) { ct_limit_threads(max(1, before), &ignored, &$0) } }
    return try body()
  }

  /// Runs `body` with at most `count` threads in each product of a BLAS with threads of its own,
  /// whichever thread asks for it: several threads that work beside each other would otherwise wait
  /// for each other's.
  ///
  /// - Throws: what `body` throws, or `.badArgument` for less than one.
  /// - Precondition: nobody else limits it meanwhile.
  package static func withThreadsOfBLAS<Result>(
    _ count: Int, _ body: () throws -> Result
  ) throws -> Result {
    var (before, ignored): (Int32, Int32) = (0, 0)
    try check(#function) { ct_limit_blas_threads(Int32(clamping: count), &before, &$0) }
    defer { try? check(#function) { ct_limit_blas_threads(max(1, before), &ignored, &$0) } }
    return try body()
  }

  /// What is in use, one `name: value` a line: versions, BLAS, oneDNN, devices, threads, file.
  public static func description() throws(TensorError) -> String {
    let capacity = 4096
    var text = [CChar](repeating: 0, count: capacity)
    try check(#function) { ct_describe(&text, capacity, &$0) }
    let lines = String(
      decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return lines + "\nopened from: " + String(cString: ct_backend_path())
  }

  /// Opens another build of the library that connects LibTorch, without putting it to use.
  ///
  /// The environment variable `INBETWEEN_TORCH` names the one that is put to use; otherwise it is
  /// the one beside the executable, or in `../lib/inbetween` from there.
  ///
  /// - Throws: `.backendMissing`, with the reason, where it would not do.
  public static func probe(_ path: String) throws(TensorError) {
    try check(#function) { ct_probe_backend(path, &$0) }
  }
}
