"""Text in, SVOX Pico's speech out: the engine in WebAssembly, its voices, how to build them."""
