/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be true of every box, whatever has happened to it. Checked from outside the daemon, on
 * the disk and in the kernel.
 */
#ifndef SEKISHO_TESTS_LIFE_SOUND_H
#define SEKISHO_TESTS_LIFE_SOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/life/policies.h"

/* The number of the generation that the next start loads, by the pointer on the disk; 0 = none. */
uint64_t disk_confirmed(void);
/* Every generation on the disk is one of the compiled ones, to the byte. */
bool disk_whole(void);
/* The loaded rules are those of this generation; 0: of none of the compiled ones. */
bool rules_of(uint64_t number);
bool rules_are(enum known_policy p);
/*
 * Must be true at any moment: no forwarding without the deny base, no broken file on the disk, no
 * order answered twice.
 */
bool always_sound(void);
/*
 * Must be true when nothing is under way: the rules are those of the generation that the supervisor
 * calls in force. A start would load that generation, and the history agrees, unless it is on
 * trial.
 */
bool sound_at_rest(void);

#endif
