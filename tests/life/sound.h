/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be so of every box, whatever has happened to it: looked at from outside of the daemon,
 * on the disk and in the kernel.
 */
#ifndef SEKISHO_TESTS_LIFE_SOUND_H
#define SEKISHO_TESTS_LIFE_SOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/life/policies.h"

/* The number that the next start loads, by the pointer on the disk; 0 = none. */
uint64_t disk_confirmed(void);
/* Every generation on the disk is one of those that were compiled, to the byte. */
bool disk_whole(void);
/* The rules that stand are those of this generation; of 0: of none that was compiled. */
bool rules_of(uint64_t number);
bool rules_are(enum known_policy p);
/*
 * At any moment: no forwarding without the base, nothing torn on the disk, no order answered twice.
 */
bool always_sound(void);
/*
 * Now that nothing is under way: the rules are those of what the supervisor says is in force, and a
 * start would load that, unless it is on trial, and so does the history.
 */
bool sound_at_rest(void);

#endif
