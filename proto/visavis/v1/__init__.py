"""Generated protobuf messages and gRPC stubs, version 1 of the contract."""
