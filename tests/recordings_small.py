"""Small folders of sounds and videos for the tests of the Snowcat app."""

import numpy as np

RATE = 8000


def sounds(folder, each=4):
    """Low and high tones of two labels, one in two channels, one in a format that browsers do not play."""
    import soundfile

    rng = np.random.default_rng(0)
    for label, hertz in (("high", 1200), ("low", 200)):
        (folder / label).mkdir(parents=True)
        for at in range(each):
            seconds = 6.0 + 0.5 * at
            wave = 0.4 * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)
            wave = wave * np.linspace(1, 0.1, len(wave)) + 0.01 * rng.normal(size=len(wave))
            wave = np.column_stack([wave, -wave]) if at == 1 else wave
            soundfile.write(folder / label / f"{at}.{'aiff' if at == 2 else 'wav'}", wave, RATE)
    return folder


def videos(folder, each=3):
    """A bright square that goes to the right or down, in formats that browsers play and others."""
    import av

    for label, way in (("down", (0, 1)), ("right", (1, 0))):
        (folder / label).mkdir(parents=True)
        for at in range(each):
            ending, codec, pixels = (("webm", "libvpx", "yuv420p"), ("avi", "mjpeg", "yuvj420p"))[at % 2]
            with av.open(str(folder / label / f"{at}.{ending}"), "w") as container:
                stream = container.add_stream(codec, rate=20)
                stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
                for step in range(40):
                    frame = np.full((48, 64, 3), 40 + 10 * at, np.uint8)
                    x, y = 4 + way[0] * step, 4 + way[1] * step // 2
                    frame[y : y + 12, x : x + 12] = 250
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
                container.mux(stream.encode())
    return folder
