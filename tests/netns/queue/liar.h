/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that lies: it enters the worker's sandbox, and then writes anything into the ring.
 */
#ifndef SEKISHO_TESTS_LIAR_H
#define SEKISHO_TESTS_LIAR_H

/* `how`: "liar SEED KIND"; kinds: rubbish (random entries), counter (an impossible head), foreign
 * (accepts packets of a queue that is not its own), cut (accepts packets of the cut lane), permit
 * (accepts with permit 0). Never returns before it is killed. */
int role_liar(const char *how);

#endif
