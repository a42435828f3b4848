"""The rules of the register as pure functions; every number they use is passed in from the register."""
