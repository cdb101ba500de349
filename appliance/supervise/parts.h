/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the supervisor that its loop and its operations call. */
#ifndef SEKISHO_SUPERVISE_PARTS_H
#define SEKISHO_SUPERVISE_PARTS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/said.h"

struct err;
struct ir;
struct msg;
struct partition;
struct sentence;
struct slot;
struct supervisor;

/* ---- When the process of a role starts, and how it ended ------------------------------------ */

void roles_init(struct supervisor *s);
/* from now on the slot's process is to run */
void roles_want(struct supervisor *s, unsigned slot);
uint64_t roles_due(struct supervisor *s, uint64_t now); /* starts what is to be started */
/* Notes that the slot's process has ended, and when to start the next one; *ret_how says how it
 * ended. False: it has not ended. */
bool role_reap(struct supervisor *s, struct slot *sl, siginfo_t *ret_how);

/* ---- How a process of a role is started ----------------------------------------------------- */

/* spawn.c: starts a role's process. fds[0..n) become its descriptors from ROLE_FD_FIRST on; nsfd:
 * the network namespace that it enters, -1 = none. 0 or negative errno. */
int spawn(const struct partition *p, struct slot *sl, const int *fds, size_t n, int nsfd, struct err *e);

/* ---- Messages of roles, and what follows from a role's death -------------------------------- */

void role_exited(struct supervisor *s, struct slot *sl);
void role_readable(struct supervisor *s, struct slot *sl);

/* ---- Roles that are alive but hang ---------------------------------------------------------- */

/* watch.c: roles that are alive but hang */
uint64_t watch_due(struct supervisor *s, uint64_t now);
int watch_open(struct supervisor *s, struct err *e);
/* A role has given its sign of life. */
bool watch_answered(struct supervisor *s, struct slot *sl, struct msg *m);

/* ---- Addresses, links and routes that other programs changed -------------------------------- */

/* supervise/network.c: addresses, links and routes that other programs changed */
int network_open(struct supervisor *s, struct err *e);
/* Sets all that box.cfg says. A device that a person released may be missing. 0 or
 * negative errno. */
int network_set(const struct supervisor *s, struct err *e);
void network_heard(struct supervisor *s, int fd);
uint64_t network_due(struct supervisor *s, uint64_t now);
/* How often they had to be restored, and when the last time (wall ns). */
uint64_t network_drifts(const struct supervisor *s, uint64_t *ret_wall_ns);

/* ---- Settings of the programs for mail, SNMP and logs --------------------------------------- */

/* supervise/companions.c: writes the settings of the programs that communicate for the box, by the
 * policy in force */
void beside_write(struct supervisor *s);
/* whether the files exist that the settings for `ir` name; false: *ret says what is wrong */
bool beside_ready(const struct ir *ir, struct sentence *ret);

/* ---- What the service manager is told, and what it keeps ------------------------------------ */

int notify_open(struct supervisor *s, struct err *e);
int notify_kept(void); /* the socket that the manager kept of an earlier daemon; -1 = none */
uint64_t notify_due(struct supervisor *s, uint64_t now);
void notify_ending(struct supervisor *s);

/* The supervisor's knowledge of the box as JSON (docs/json.md). The caller owns the objects. */

/* The supervisor's part of control's answer to the question of this name. */
json_t *json_box(struct supervisor *s, enum box_what what);

/* Differences from box.cfg, and additional objects in the data namespace, as in "differences"
 * of verify. */
json_t *json_surroundings(const struct supervisor *s);

#endif
