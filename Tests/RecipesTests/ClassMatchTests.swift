// SPDX-License-Identifier: Apache-2.0

import Datasets
import Recipes
import Testing
import Video

struct ClassMatchTests {
  private func objects(_ categories: [Int]) -> [Detection] {
    categories.map {
      Detection(
        box: BoundingBox(x: Double($0), y: 0, width: 1, height: 1), category: $0, score: 0.5)
    }
  }

  private func list(_ names: [String]) -> ClassList {
    ClassList(name: "own", names: names, void: nil)
  }

  @Test func classesAreMatchedByName() {
    let match = ClassMatch(
      list(["Bus", "traffic_light", "person", "kite"]),
      to: ObjectClasses(list(["pedestrian", "traffic light", "bus"])))
    let matched = match(objects([0, 1, 2, 3, 2]))
    #expect(matched.map(\.category) == [2, 1, 0, 0])
    // The kite is left out; all else of an object stays.
    #expect(matched.map(\.box.x) == [0, 1, 2, 2] && match.count == 3 && match.remark == nil)
  }

  // Cars of a network of COCO's are no pedestrians, and MOTChallenge counts pedestrians alone.
  @Test func whatDoesNotCountIsLeftOut() {
    let match = ClassMatch(.coco, to: ObjectClasses(.motChallenge, counted: [0]))
    #expect(match(objects([0, 2, 79])).map(\.category) == [0] && match.remark == nil)
    let all = ClassMatch(.coco, to: ObjectClasses(.motChallenge))
    #expect(all(objects([0, 2, 1, 3, 79])).map(\.category) == [0, 2, 3, 4])
    #expect(all.remark?.contains("person on vehicle") == true)
  }

  @Test func whereAnythingIsFollowedAllClassesAreThat() {
    let match = ClassMatch(.coco, to: ObjectClasses(.anyObject))
    #expect(match(objects([0, 2, 79])).map(\.category) == [0, 0, 0] && match.count == 1)
  }

  @Test func equalListsStayAsTheyAre() {
    let match = ClassMatch(.streetObjects, to: ObjectClasses(.streetObjects))
    #expect(match(objects([0, 1, 2])) == objects([0, 1, 2]) && match.remark == nil)
  }

  @Test func whereNoNameIsAlikeNumbersAreAndThatIsSaid() {
    let match = ClassMatch(
      list(["0", "1", "2"]), to: ObjectClasses(list(["cat", "dog"]), counted: [1]))
    #expect(match(objects([0, 1, 2, 7])).map(\.category) == [1])
    #expect(match.remark?.contains("(0, 1, 2) has a name of the ground truth's (dog)") == true)
  }

  // From the file of COCO's annotations: the last is toothbrush, the 34th of which 38 is kite.
  @Test func numbersOfCOCOHaveGaps() {
    let numbers = ClassList.categoryIDsOfCOCO, names = ClassList.coco.names
    #expect(numbers.count == names.count && numbers.last == 90)
    for (name, number) in [
      ("person", 1), ("traffic light", 10), ("stop sign", 13), ("kite", 38), ("bed", 65),
      ("toilet", 70), ("tv", 72), ("book", 84), ("toothbrush", 90),
    ] {
      let place = names.firstIndex(of: name)
      #expect(place.map { numbers[$0] } == number, "\(name)")
    }
  }
}
