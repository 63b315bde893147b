void millrace_flatbuffers_anchor(void) {}
