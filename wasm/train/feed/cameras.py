"""The four cameras of the sample feed and their traffic. Street names sound real; places and passes are invented."""
from .ground import WHITE, YELLOW, Road
from .light import Light
from .scene import Scene
from .town import House
from .traffic import Pass
from .view import View

CA = ("us", "CA", "9AAA999")
TRUCK = ("us", "CA", "99999A9")
AGENCY = "Roseville Police Department (demo)"


def record(name, lat, lon, heading):
    ident = name.lower().replace(" ", "-").replace(".", "")
    return {"id": ident, "name": name, "kind": "fixed", "lat": lat, "lon": lon, "heading": heading, "agency": AGENCY}


def main_st_north():
    """Late afternoon, low sun from the left behind; one lane going away, a car parked at the kerb."""
    light = Light(
        (-0.62, -0.62, 0.36),
        (1.15, 0.92, 0.66),
        (0.20, 0.33, 0.62),
        (0.66, 0.68, 0.70),
        (0.15, 0.14, 0.125),
        exposure=1.45,
    )
    road = Road(
        (-6.6, 1.45),
        (-2.6,),
        ((-4.5, 0.12, 3.0, 6.0, YELLOW), (-0.95, 0.10, 0.0, 0.0, WHITE)),
        walk=3.0,
        stop_line=46.0,
    )
    houses = [
        House(4.8, 18, 16, 9, 8.0, (0.34, 0.20, 0.13), 1, 2),
        House(4.8, 35, 14, 9, 6.5, (0.46, 0.42, 0.34), 1, 2),
        House(4.8, 56, 22, 9, 9.5, (0.30, 0.29, 0.27), 1, 3),
        House(-9.8, 22, 18, 9, 7.0, (0.50, 0.45, 0.36), -1, 2),
        House(-9.8, 42, 13, 9, 9.5, (0.36, 0.17, 0.12), -1, 3),
        House(-9.8, 62, 30, 9, 7.0, (0.42, 0.40, 0.38), -1, 2),
        House(-9.8, 100, 60, 9, 11, (0.35, 0.3, 0.28), -1, 3),
    ]
    go = lambda t, shape, plate, speed=8.5, **k: Pass(t, -2.6, shape, "away", plate, speed, drift=0.06, **k)
    passes = [
        Pass(0, 0.45, "hatch", "stays", CA, distance=14.6, paint=4),
        go(2.7, "sedan", CA, paint=2),
        go(7.38, "suv", CA, 9.0, paint=1),
        go(11.7, "pickup", TRUCK, 8.0, paint=0),
        go(15.48, "sedan", ("us", "NV", None), 8.0, paint=5),
        go(16.88, "hatch", CA, 8.0, brake=True, paint=2),  # close behind each other
        go(22.05, "van", CA, 7.5, paint=3),
        go(26.55, "sedan", ("us", "OR", "999*AAA"), 9.0, paint=5),
        go(31.14, "suv", CA, 8.5, paint=7),
        go(33.6, "hatch", CA, 8.0, paint=8),
    ]
    return Scene(
        record("Main St North", 38.75212, -121.28843, 12.0),
        View((2.0, 0, 2.1), 4600, -10.6, 105),
        light,
        road,
        4.0,
        7.5,
        105,
        20.0,
        shutter=0.002,
        focus=18,
        blur=130,
        houses=houses,
        trees=[(3.4, 30, 6.5), (3.4, 50, 6.0), (-8.2, 36, 7.0), (-8.2, 58, 7.5), (3.4, 72, 7)],
        posts=[(2.6, 40, 6.5, -1.8), (-7.4, 52, 6.5, 1.8), (2.6, 74, 6.5, -1.8)],
        hills=1.0,
        shade=[(-1.5, 25.0, 9, 1.6), (-5.0, 34.0, 3.0, 1.4)],
        passes=passes,
    )


def harbor_blvd():
    """Dusk: two lanes coming towards a mast arm, head lamps on."""
    light = Light(
        None, (0, 0, 0), (0.10, 0.13, 0.26), (0.30, 0.24, 0.26), (0.06, 0.055, 0.06), lamps=0.42, exposure=3.0
    )
    road = Road(
        (-5.3, 5.3),
        (-1.75, 1.75),
        (
            (0.0, 0.12, 3.0, 4.5, WHITE),
            (-3.7, 0.12, 0, 0, YELLOW),
            (-3.95, 0.12, 0, 0, YELLOW),
            (3.7, 0.12, 0, 0, WHITE),
        ),
        walk=2.0,
        beside=(0.06, 0.085, 0.035),
        stop_line=27.5,
    )
    left = lambda t, shape, plate, speed=8.2, **k: Pass(t, -1.75, shape, "near", plate, speed, drift=0.05, **k)
    right = lambda t, shape, plate, speed=8.2, **k: Pass(t, 1.75, shape, "near", plate, speed, drift=0.05, **k)
    passes = [
        right(2.88, "suv", CA),
        left(6.84, "sedan", CA, 8.5),
        left(11.16, "hatch", CA, 8.0),
        right(11.25, "sedan", CA, 8.0),  # side by side
        right(16.2, "van", CA, 9),
        left(20.16, "pickup", TRUCK, 8.5),
        right(23.94, "sedan", ("us", "WA", "AAA9999"), 8.5),
        left(27.9, "suv", CA, 9),
        right(28.12, "hatch", CA, 9),
        right(32.94, "sedan", CA, 8.5),
        left(34.0, "sedan", ("us", "AZ", "AAA9999"), 9),
    ]
    return Scene(
        record("Harbor Blvd", 38.74486, -121.27031, 194.0),
        View((0.0, 0, 3.3), 5000, 0, -330),
        light,
        road,
        4.0,
        9.0,
        60,
        18.0,
        shutter=0.0015,
        noise=0.004,
        focus=18,
        blur=30,
        trees=[(7.6, 42, 5), (-7.8, 38, 5)],
        posts=[],
        passes=passes,
    )


def civic_garage():
    """The ramp of a garage: lamps on the ceiling, cars from everywhere, slow."""
    light = Light(
        None,
        (0, 0, 0),
        (0.62, 0.64, 0.62),
        (0.42, 0.43, 0.42),
        (0.20, 0.195, 0.18),
        lamps=0.05,
        exposure=1.5,
        strips=3.0,
        skyline=0.25,
    )
    road = Road(
        (-4.5, 4.0),
        (-0.4,),
        ((-2.3, 0.10, 0, 0, YELLOW), (1.5, 0.10, 0, 0, YELLOW)),
        walk=0.0,
        asphalt=0.17,
        beside=(0.17, 0.165, 0.155),
    )
    go = lambda t, shape, plate, speed=4.0, **k: Pass(t, -0.4, shape, "near", plate, speed, drift=0.05, **k)
    passes = [
        go(2.34, "hatch", ("eu", "D", "AA.AA 999")),
        go(6.84, "sedan", ("br", "BR2", None)),
        go(11.34, "suv", None),
        go(15.66, "sedan", ("us", "CA", "RIVRCTY", True)),
        go(19.98, "hatch", ("eu", "F", "AA-999-AA")),
        go(24.3, "pickup", ("us", "CA", "GO 2 SEE", True)),
        go(28.98, "sedan", ("br", "BR", "AAA-9999")),
        go(33.48, "van", ("us", "ID", "{9A}A99999")),
    ]
    return Scene(
        record("Civic Garage", 38.74921, -121.28544, 283.0),
        View((1.75, 0, 2.1), 2700, -9.5, 150),
        light,
        road,
        4.0,
        3.0,
        30,
        8.6,
        shutter=0.003,
        noise=0.003,
        focus=9,
        blur=16,
        hall=(-3.6, 2.9, 34, 2.9),
        passes=passes,
    )


def hwy_65_sb():
    """Night: an infra-red lamp at the camera, two lanes going away."""
    light = Light(
        None, (0, 0, 0), (0.006, 0.006, 0.006), (0.012, 0.012, 0.012), (0.004, 0.004, 0.004), flash=5.0, exposure=1.3
    )
    road = Road(
        (-5.6, 2.0),
        (0.0, -3.6),
        ((-1.8, 0.12, 3.6, 8.4, WHITE), (1.75, 0.15, 0, 0, WHITE), (-5.4, 0.15, 0, 0, YELLOW)),
        walk=0.0,
        asphalt=0.12,
        beside=(0.09, 0.085, 0.07),
    )
    right = lambda t, shape, plate, speed=17.0, **k: Pass(t, 0.0, shape, "away", plate, speed, drift=0.04, **k)
    left = lambda t, shape, plate, speed=18.5, **k: Pass(t, -3.6, shape, "away", plate, speed, drift=0.04, **k)
    passes = [
        right(2.25, "sedan", CA),
        left(6.12, "suv", CA),
        right(9.9, "pickup", TRUCK),
        left(14.04, "sedan", CA),
        right(17.46, "hatch", ("us", "TX", "AAA-9999")),
        right(18.45, "sedan", CA, 17.0),
        left(23.04, "van", CA, 18.5),
        right(27.18, "suv", CA, 17.0),
        left(27.81, "hatch", CA, 18.5),
        right(31.86, "sedan", ("us", "OR", "999*AAA"), 17.0),
        left(34.0, "pickup", CA, 18.5),
    ]
    return Scene(
        record("Hwy 65 SB", 38.79874, -121.29412, 168.0),
        View((3.4, 0, 3.3), 9000, -8.96, -380),
        light,
        road,
        4.5,
        15.0,
        120,
        30.0,
        shutter=0.0006,
        quality=62,
        noise=0.005,
        grey=True,
        focus=33,
        blur=40,
        passes=passes,
    )


def all_scenes():
    return [main_st_north(), harbor_blvd(), civic_garage(), hwy_65_sb()]
