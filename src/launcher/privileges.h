#pragma once

#include "launcher/instructions.h"

namespace capstan {

// Each of these ends the process when it can't be done.

void set_limits(const Instructions& instructions);

// Becomes the user and keeps what capabilities there are.
void become_user(std::uint32_t user);
// Enters a user namespace in which there is nobody but this user, under the number `user_inside`.
void enter_user_namespace();
// Gives up every capability for good, and what could bring one back.
void give_up_capabilities();

// The process is killed when its parent ends. A change of user undoes that.
void die_with_parent();

// A seccomp program, read from the descriptor, for this process and all it starts.
void install_filter(int descriptor);

// Ends all processes of the user, however they try to get away: kill(-1) meets them all in one
// step, and none of them can fork once it has been met.
void end_all_of_user(std::uint32_t user);

}  // namespace capstan
