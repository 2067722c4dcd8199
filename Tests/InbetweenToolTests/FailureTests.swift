// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestSupport
import Testing

/// A command line that cannot be carried out.
struct Fault: Sendable, CustomTestStringConvertible {
  let line: String
  let code: Int32
  /// What the sentence has to tell.
  let words: [String]

  init(_ line: String, _ code: Int32, _ words: String...) {
    (self.line, self.code, self.words) = (line, code, words)
  }

  var testDescription: String { line }
}

struct FailureTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.writeClip(to: "clip.mp4")
    try scratch.write("this is no video, whatever its name says\n", to: "text.mp4")
    try scratch.write([], to: "zero.mp4")
    try scratch.write("#EXTM3U\n#EXTINF:1,\n/etc/hostname\n", to: "list.m3u8")
    try scratch.write(withoutHeader(scratch.bytes("clip.mp4")), to: "noheader.mp4")
    try FileManager.default.createDirectory(
      atPath: scratch("empty"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: Fixtures.video("hevc.mp4"), toPath: scratch("hevc.mp4"))
    try scratch.writePictures(to: "pictures", frames: 2)
    try scratch.writePictures(to: "larger", frames: 1, width: 80)
  }

  @Test(arguments: [
    Fault("run none.mp4 --backbone NET", 66, "none.mp4", "no such file"),
    Fault("run text.mp4 --backbone NET", 65, "text.mp4", "not a video"),
    Fault("run zero.mp4 --backbone NET", 65, "zero.mp4", "empty"),
    Fault("run empty --backbone NET", 65, "empty", "no picture"),
    Fault("run none*.png --backbone NET", 66, "none*.png", "matches"),
    Fault("run noheader.mp4 --backbone NET", 65, "noheader.mp4", "header"),
    Fault("run list.m3u8 --backbone NET", 65, "list.m3u8", "playlist"),
    Fault("run http://localhost/a.mp4 --backbone NET", 65, "addresses"),
    Fault("run hevc.mp4 --backbone NET --flow codec", 65, "hevc.mp4", "hevc", "motion vectors"),
    Fault("run pictures --backbone NET --flow codec", 65, "png", "motion vectors"),
  ])
  func aSourceThatCannotBeReadIsNamedInOneSentence(fault: Fault) throws { try check(fault) }

  @Test(arguments: [
    Fault("run clip.mp4", 64, "--backbone"),
    Fault("run --backbone NET", 64, "source"),
    Fault("run clip.mp4 --recipe davs", 64, "davs", "did you mean 'davss'"),
    Fault("run clip.mp4 --recipe davss --models none", 66, "none/camvid-resnet18"),
    Fault("run clip.mp4 --backbone NET --regions 2", 64, "regions need ROWSxCOLUMNS", "'2'"),
    Fault("run clip.mp4 --backbone NET --regions 2x2 --flow codec", 64, "regions", "codec"),
    Fault("walk clip.mp4", 64, "walk"),
    Fault("run clip.mp4 --backbone NET --shceduler every:5", 64, "--shceduler", "--scheduler"),
    Fault("run clip.mp4 --backbone NET --scheduler evry:5", 64, "evry", "did you mean 'every'"),
    Fault("run clip.mp4 --backbone NET --scheduler every:0", 64, "every:N", "at least 1", "'0'"),
    Fault("run clip.mp4 --backbone NET --scheduler moved:-3", 64, "moved:PIXELS", "above 0"),
    Fault("run clip.mp4 --backbone NET --propagator wrap", 64, "wrap", "did you mean 'warp'?"),
    Fault("run clip.mp4 --backbone NET --propagator warp:next", 64, "next", "previous"),
    Fault(
      "run clip.mp4 --backbone NET --flow raft", 64, "raft",
      "dis, opencv-dis, farneback, codec"),
    Fault("run clip.mp4 --backbone NET --flow dis:slow", 64, "slow", "ultrafast, fast, medium"),
    Fault("run clip.mp4 --backbone NET --scheduler oracle:0.1", 64, "oracle", "eval"),
    Fault("run clip.mp4 --backbone NET --scheduler shots:oracle:0.1", 64, "which only eval has"),
    Fault(
      "run clip.mp4 --backbone NET --temporal-smoothing 2", 64, "smoothing needs WEIGHT", "'2'"),
    Fault(
      "run clip.mp4 --backbone NET --temporal-smoothing 0.5,0", 64, "LEVELS above 0", "'0.5,0'"),
    Fault(
      "run clip.mp4 --backbone NET --set bidirectional=0", 64, "bidirectional", "LEVELS above 0"),
    Fault("run clip.mp4 --backbone NET --bidirectional --regions 2x2", 64, "leave out regions"),
    Fault("run clip.mp4 --backbone NET --bidirectional --flow codec", 64, "not the codec's"),
    Fault(
      "run clip.mp4 --backbone NET --bidirectional --scheduler background:1,every:5",
      64, "bidirectional", "background:1,every:5"),
    Fault("run clip.mp4 --backbone NET --threads 0", 64, "--threads", "1 to 1024", "0"),
    Fault("run clip.mp4 --backbone NET --threads many", 64, "--threads", "many"),
    Fault("run clip.mp4 --backbone NET --frames 0", 64, "--frames"),
    Fault("run clip.mp4 --backbone NET --opacity 1.5", 64, "--opacity", "0 to 1"),
    Fault("run clip.mp4 --backbone NET --tap middle", 64, "middle", "scores"),
    Fault("eval town:7 --backbone truth", 64, "town", "street"),
    Fault("eval street:x --backbone truth", 64, "street:SEED", "whole number"),
    Fault("eval street:7 --backbone truth --flow codec --group 0", 64, "--group"),
    Fault("demo --frames 1", 64, "--frames"),
    Fault("train none.yaml --data streets:1 --out o", 66, "none.yaml"),
    Fault("train text.mp4 --data streets:1 --out o", 78, "text.mp4"),
    Fault(
      "train none.yaml --data streets:1 --out o --checkpoint-every 0", 64, "--checkpoint-every"),
    Fault("train none.yaml --data streets:1 --out o --device gpu", 64, "gpu", "cuda:N"),
  ])
  func aWrongCommandLineIsToldWhatThereIs(fault: Fault) throws { try check(fault) }

  @Test(arguments: [
    Fault("flow none.png pictures/img7.png", 66, "none.png", "no such file"),
    Fault("flow text.mp4 pictures/img7.png", 65, "text.mp4"),
    Fault("flow pictures/img7.png larger/img7.png", 65, "64×48", "80×48"),
    Fault("flow pictures/img7.png pictures/img8.png --flow codec", 64, "codec", "video"),
    Fault("flow pictures/img7.png pictures/img8.png --truth none.flo", 66, "none.flo"),
    Fault("flow pictures/img7.png pictures/img8.png --truth text.mp4", 65, "text.mp4"),
    Fault("flow pictures/img7.png pictures/img8.png -o none/a.flo", 73, "none"),
    Fault("eval camvid:none --backbone truth", 66, "none"),
    Fault("eval street:7 --frames 2 --backbone NET", 65, "4 classes", "11 classes"),
    Fault("eval street:7 --frames 2 --backbone none.pt", 66, "none.pt"),
  ])
  func picturesAndClipsAreJudgedAsVideosAre(fault: Fault) throws { try check(fault) }

  @Test(arguments: [
    Fault("run clip.mp4 --backbone NET --output none/a.mp4", 73, "none"),
    Fault("run clip.mp4 --backbone NET --json none/a.json", 73, "none"),
    Fault("run clip.mp4 --backbone NET --per-frame none/a.csv", 73, "none"),
    Fault("run clip.mp4 --backbone NET --json empty", 73, "empty", "folder"),
    Fault("run clip.mp4 --backbone NET --output empty", 73, "empty", "folder"),
    Fault("run clip.mp4 --backbone NET --labels text.mp4", 73, "text.mp4"),
    Fault("run clip.mp4 --backbone NET --output /proc/a.mp4", 73, "/proc/a.mp4"),
    Fault("run clip.mp4 --backbone NET --json /proc/a.json", 73, "/proc/a.json"),
    Fault("eval street:7 --frames 2 --backbone truth --json none/a.json", 73, "none"),
    Fault("demo --frames 2 --out text.mp4", 73, "text.mp4"),
  ])
  func anOutputThatCannotBeMadeIsRefusedBeforeAnyWork(fault: Fault) throws {
    // Without LibTorch nothing can be loaded: a check that came later would fail with another code.
    try check(fault, environment: ["INBETWEEN_TORCH": "/none/libInbetweenTorch.so"])
  }

  @Test func withoutLibTorchOnlyWhatNeedsItFails() throws {
    let without = ["INBETWEEN_TORCH": "/none/libInbetweenTorch.so"]
    try check(
      Fault("run clip.mp4 --backbone NET", 69, "libInbetweenTorch.so"), environment: without)
    for line in ["--version", "--help", "list", "flow pictures/img7.png pictures/img8.png"] {
      #expect(try scratch.inbetween(line, environment: without).code == 0, "\(line)")
    }
    let doctor = try scratch.inbetween("doctor", environment: without)
    #expect(doctor.code == 69)
    #expect(doctor.out.contains("NOT  tensors"))
  }

  private func check(_ fault: Fault, environment: [String: String] = [:]) throws {
    let before = try scratch.names()
    let outcome = try scratch.inbetween(fault.line, environment: environment)
    #expect(outcome.code == fault.code, "\(outcome.err)")
    #expect(outcome.errorLines.count == 1)
    #expect(outcome.err.hasPrefix("inbetween: "))
    for words in fault.words { #expect(outcome.err.contains(words)) }
    #expect(outcome.out.isEmpty)
    #expect(try scratch.names() == before)
  }
}
