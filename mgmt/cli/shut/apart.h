/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs work on hostile bytes in a separate process, which has only memory and one pipe for writing:
 * no user, no file, no socket, no other system call. If the process is compromised, it can only
 * give a wrong answer.
 */
#ifndef SEKISHO_MGMT_CLI_SHUT_APART_H
#define SEKISHO_MGMT_CLI_SHUT_APART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Work that puts malloc'd bytes into *ret. False: it failed. Called in the child only. */
typedef bool apart_work(void *ctx, uint8_t **ret, size_t *ret_n);

/* *ret: the malloc'd result of `work`, owned by the caller, at most `most` bytes. False when it
 * failed, or the child had to be ended. */
bool apart(apart_work *work, void *ctx, size_t most, uint8_t **ret, size_t *ret_n);

#endif
