#include "child_process/spawn.h"

#include <uv.h>

#include <cstdlib>
#include <cstring>

namespace pipewright {

namespace {

SpawnOptions::Engine EngineFromEnvironment() {
  const char* name = std::getenv("PIPEWRIGHT_SPAWN_ENGINE");
  if (name == nullptr) return SpawnOptions::Engine::kDefault;
  if (std::strcmp(name, "vfork") == 0) return SpawnOptions::Engine::kVfork;
  if (std::strcmp(name, "uv") == 0) return SpawnOptions::Engine::kUv;
  return SpawnOptions::Engine::kDefault;
}

}  // namespace

SpawnResult Spawn(const SpawnOptions& options) {
  SpawnOptions::Engine engine = options.engine;
  if (engine == SpawnOptions::Engine::kDefault) engine = EngineFromEnvironment();
  const bool is_vfork_asked = engine == SpawnOptions::Engine::kVfork;
  if (engine != SpawnOptions::Engine::kUv && IsVforkUsable()) return SpawnVfork(options);
  SpawnResult result;
  result.error = UV_ENOTSUP;
  if (is_vfork_asked || options.NeedsVfork()) return result;
  return SpawnUv(options);
}

}  // namespace pipewright
