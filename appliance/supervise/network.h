/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, links and routes that other programs changed. */
#ifndef SEKISHO_SUPERVISE_NETWORK_H
#define SEKISHO_SUPERVISE_NETWORK_H

#include <stdint.h>

struct err;
struct supervisor;

/* supervise/network.c: addresses, links and routes that other programs changed */
int network_open(struct supervisor *s, struct err *e);
/* Sets all that box.cfg says. A device that a person released may be missing. 0 or
 * negative errno. */
int network_set(const struct supervisor *s, struct err *e);
void network_heard(struct supervisor *s, int fd);
uint64_t network_due(struct supervisor *s, uint64_t now);
/* How often they had to be restored, and when the last time (wall ns). */
uint64_t network_drifts(const struct supervisor *s, uint64_t *ret_wall_ns);

#endif
