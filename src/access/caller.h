#pragma once

#include <string>

#include "base/id.h"

namespace capstan {

using TeamId = Id<struct TeamTag>;
using ApiKeyId = Id<struct ApiKeyTag>;

// Who is calling, and for which team. Everything that a team owns is invisible to other teams.
struct Caller {
  TeamId team;
  // The run whose door the call came through; empty for a call with an API key. Text, because
  // what a run is belongs to rooms above.
  std::string run;
};

}  // namespace capstan
