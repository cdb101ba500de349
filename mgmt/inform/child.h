/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a task that reads strangers' bytes in a child process of its own: if the child crashes,
 * hangs or leaks memory, the program goes on.
 */
#ifndef SEKISHO_MGMT_INFORM_CHILD_H
#define SEKISHO_MGMT_INFORM_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"

/* The work of the child, which reports by writing bytes to `to`. child_said gets each byte; if it
 * returns true, the child is waiting for one byte as a reply before it goes on. */
typedef void child_work(void *of, int to);
typedef bool child_said(void *of, uint8_t byte);

/* 0: the child came to its end. Negative errno with *e: a signal ended it; -ETIMEDOUT: we ended it
 * after `seconds`. */
int child_run(unsigned seconds, child_work *work, child_said *said, void *of, struct err *e);

#endif
