mod engine;
mod errors;
mod frames;
mod grpc_web;
mod replay;
mod support;
