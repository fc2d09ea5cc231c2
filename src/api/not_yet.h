#pragma once

#include <vector>

#include "api/gate.h"

namespace capstan {

// The operations of AnchorBrowser's API that are not built yet. They answer 501, so that a client
// sees that it is the server, and not its own address, that lacks something.
std::vector<RouteRow> not_yet_rows();

}  // namespace capstan
