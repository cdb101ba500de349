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

/* The work, which says something by writing to `to`; what it wrote, as it comes. True: it waits for
 * one byte there before it goes on. */
typedef void child_work(void *of, int to);
typedef bool child_said(void *of, uint8_t byte);

/* 0: it came to its end. Negative errno with *e: it was ended by a signal, -ETIMEDOUT: by us after
 * so many seconds. */
int child_run(unsigned seconds, child_work *work, child_said *said, void *of, struct err *e);

#endif
