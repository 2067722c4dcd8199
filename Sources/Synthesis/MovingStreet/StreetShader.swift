// SPDX-License-Identifier: Apache-2.0

/// Gives every sample of a band its colour.
struct StreetShader {
  let scene: StreetScene
  let surroundings: StreetSurroundings
  private let textures = StreetTextures.shared
  private let rotation: (SIMD3<Float>, SIMD3<Float>, SIMD3<Float>)
  private let pixel: Float

  /// What a painter says of a place: its own colour, how much it mirrors, what it sheds itself.
  struct Finish {
    var colour: Colour
    var gloss: Float = 0
    var glow = Colour()
  }

  /// What a painter may ask about a place.
  struct Place {
    /// The surface's own coordinates.
    var local: SIMD3<Float>
    /// Ground coordinates, z up.
    var ground: SIMD3<Float>
    var normal: SIMD3<Float>
    /// From the camera to the place, one metre of depth long.
    var ray: SIMD3<Float>
    /// Metres a pixel covers.
    var footprint: Float
    var side: UInt8
  }

  init(_ scene: StreetScene) {
    self.scene = scene
    surroundings = scene.surroundings
    let camera = scene.camera
    rotation = (
      SIMD3<Float>(camera.right), SIMD3<Float>(camera.down), SIMD3<Float>(camera.forward)
    )
    pixel = Float(1 / camera.focal)
  }

  /// Paints those samples of a row that pixels in `pixels` rows make use of.
  func paint(
    _ band: StreetVisibility, row: Int, within pixels: Range<Int>,
    into colours: UnsafeMutablePointer<Colour>
  ) {
    let y = (Float(row) * 0.5 - 0.5 - Float(scene.camera.centreY)) * pixel
    scene.surfaces.withUnsafeBufferPointer { surfaces in
      scene.materials.withUnsafeBufferPointer { materials in
        for i in 0..<band.columns where band.isNeeded(i, row, within: pixels) {
          let x = (Float(i) * 0.5 - 0.5 - Float(scene.camera.centreX)) * pixel
          let at = band.index(i, row)
          let number = Int(band.surfaces[at])
          let ray = rotation.0 * x + rotation.1 * y + rotation.2
          guard number > 0 else {
            colours[i] = sky(ray)
            continue
          }
          let material = materials[Int(surfaces[number].material)]
          let view = SIMD3<Float>(x, y, 1) * (1 / band.depths[at])
          colours[i] = colour(surfaces[number], material, view, ray, band.shades[at])
        }
      }
    }
  }

  @inline(__always)
  private func colour(
    _ surface: StreetSurface, _ material: StreetMaterial, _ view: SIMD3<Float>,
    _ ray: SIMD3<Float>, _ shade: Float
  ) -> Colour {
    let point = SIMD4<Float>(view, 1)
    let local = SIMD3<Float>(
      (surface.rows.0 * point).sum(), (surface.rows.1 * point).sum(),
      (surface.rows.2 * point).sum())
    var normal = surface.normal.0
    if surface.shape == .polygon {
      normal += surface.normal.1 * local.x + surface.normal.2 * local.y
    } else {
      normal = normal * local.x + surface.normal.1 * local.y + surface.normal.2 * local.z
    }
    normal *= 1 / dot(normal, normal).squareRoot()
    if dot(normal, ray) > 0 { normal = -normal }
    var place = Place(
      local: local, ground: surroundings.eye + ray * view.z, normal: normal, ray: ray,
      footprint: view.z * pixel, side: surface.side)
    let finish = self.finish(material, &place)
    return lit(finish, place, shade: shade, depth: view.z)
  }

  private func finish(_ material: StreetMaterial, _ place: inout Place) -> Finish {
    switch material.paint {
    case .road: road(material, place)
    case .pavement: pavement(material, place)
    case .kerb: kerb(material, place)
    case .grass: grass(material, place)
    case .wall: wall(material, place)
    case .facade: facade(material, place)
    case .roof: roof(material, place)
    case .foliage: foliage(material, &place)
    case .twigs: twigs(material, place)
    case .bark: bark(material, place)
    case .bodywork: bodywork(material, place)
    case .wheel: wheel(material, place)
    case .sign: sign(material, place)
    case .signals: signals(material, place)
    case .panels: panels(material, place)
    case .cloth: cloth(material, place)
    case .glass: Finish(colour: material.colour, gloss: 0.24)
    case .lamp: Finish(colour: material.colour, glow: material.accent)
    case .plain, .skin, .railings, .bicycleWheel, .backdrop: Finish(colour: material.colour)
    }
  }

  @inline(__always)
  private func lit(_ finish: Finish, _ place: Place, shade: Float, depth: Float) -> Colour {
    let light = surroundings.light
    let facing = dot(place.normal, light.sun)
    var sun: Float = 0
    if facing > 0 { sun = facing * surroundings.sunshine(place.ground) * (1 - shade) }
    let up = 0.5 + 0.5 * place.normal.z
    let low = 0.72 + 0.28 * smoothStep(0, 2.5, place.ground.z + 2.2 * place.normal.z)
    let ambient = (light.skylight * up + light.bounce * (1 - up)) * (low * (1 - 0.45 * shade))
    var colour = finish.colour * (ambient + light.sunlight * sun) + finish.glow
    if finish.gloss > 0 { colour += reflection(place) * finish.gloss }
    let haze = depth / (depth + light.haze)
    return mix(colour, light.horizon * 0.72, haze)
  }

  /// What a smooth surface mirrors: the sky above, the dark other side of the street below.
  @inline(__always)
  private func reflection(_ place: Place) -> Colour {
    let ray = place.ray * (1 / dot(place.ray, place.ray).squareRoot())
    let toward = dot(ray, place.normal)
    let mirrored = ray - place.normal * (2 * toward)
    let light = surroundings.light
    let sky = mix(light.horizon, light.zenith, clamped(mirrored.z)) * 0.7
    let street = Colour(0.09, 0.10, 0.11)
    let seen = mix(street, sky, smoothStep(0.12, 0.5, mirrored.z))
    let glint = max(0, dot(mirrored, light.sun))
    let fourth = glint * glint * glint * glint
    let sharp = fourth * fourth * fourth * fourth
    let grazing = 1 + toward
    return (seen + light.sunlight * (sharp * 1.5)) * (0.35 + 0.65 * grazing * grazing * grazing)
  }

  @inline(__always)
  func noise(_ map: StreetTextures.Map, _ u: Float, _ v: Float, _ footprint: Float) -> Float {
    textures(map, u, v, level: StreetTextures.level(footprint))
  }
}

// MARK: - Sky

extension StreetShader {
  /// Gradient, clouds on a plane far up, and the glow about the sun.
  private func sky(_ ray: SIMD3<Float>) -> Colour {
    let light = surroundings.light
    let d = ray * (1 / dot(ray, ray).squareRoot())
    let height = max(d.z, 0)
    let rise = 1 - (1 - min(height * 1.7, 1)) * (1 - min(height * 1.7, 1))
    var colour = mix(light.horizon, light.zenith, rise)
    let scale = 0.11 / (height + 0.16)
    let drift = Float(scene.time) * 0.0004
    let (u, v) = (d.x * scale + drift, d.y * scale)
    let cloud =
      textures(.fractal, u, v, level: 1) * 0.75 + textures(.fractal, u * 3, v * 3, level: 1) * 0.25
    let cover = smoothStep(0.66 - 0.6 * light.cloudiness, 0.9 - 0.6 * light.cloudiness, cloud)
    let white = Colour(1.5, 1.48, 1.46) * (1.15 - 0.45 * cloud * light.cloudiness)
    colour = mix(colour, white, cover * smoothStep(0, 0.12, height) * 0.9)
    let glow = max(0, dot(d, light.sun))
    let near = glow * glow * glow * glow
    return colour + light.sunlight * (near * near * near * 0.35)
  }
}
