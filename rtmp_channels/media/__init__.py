"""What a relay must know of audio and video: a tag's head, what to keep for late joiners."""
