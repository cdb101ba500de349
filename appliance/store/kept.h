/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `kept`: what the devices of the first namespace were before the box took them, so that they can be given back also
 * by a program that starts after this one died. Supervisor, and `sekishod --release`, one at a time by the lock of the folder.
 *
 *   {"version": 1, "data": name of the namespace, "admin": ..., "devices": {DEVICE: {"mark", "picture"}}, "untold": {DEVICE: {"by", "wall_ns"}}}
 *
 * `mark`: "taken"; "retired" (in the box, but no longer of its policy; "by": the generation that left it out); "released" (given back by a person's order: not taken
 * again but by the next apply or rollback). `untold`: released while no daemon ran, which has not been recorded yet. A picture that is "going" is being given back. A record stands on the disk before its device is touched. What a picture holds is
 * the affair of appliance/box/loan.h. Replaced as a whole and synced.
 */
#ifndef SEKISHO_STORE_KEPT_H
#define SEKISHO_STORE_KEPT_H

#include <stdbool.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"

enum kept_mark { KEPT_TAKEN, KEPT_RETIRED, KEPT_RELEASED, KEPT_MARKS };

/*
 * The whole file, owned by the caller; without one an empty one. *damaged: it could not be read, and an empty one is returned; what lay there
 * was set aside as `kept.damaged`, or is by kept_save when it may be whole. NULL: *e; of a lack that passes nothing is touched.
 */
json_t *kept_load(int statefd, bool *damaged, struct err *e);
/* The same for whoever has not the lock of the folder: nothing is set aside. NULL: it cannot be read, or there is none. */
json_t *kept_look(int statefd);
/* 0 or negative errno. */
int kept_save(int statefd, json_t *kept, struct err *e);
/* The names of the namespaces it is about, for whoever has no options that say so. */
void kept_spaces(json_t *kept, const char *data, const char *admin);
/* Its record, borrowed; NULL = none. */
json_t *kept_find(const json_t *kept, const char *device);
/* With `picture` (its reference stays the caller's), or with the one it has. */
void kept_put(json_t *kept, const char *device, enum kept_mark mark, json_t *picture);
/* A generation left it out, and it stays in the box. */
void kept_left_out(json_t *kept, const char *device, uint64_t by);
/* That generation; 0 = it is not retired, or nobody noted by which one. */
uint64_t kept_left_out_by(const json_t *record);
/* It is on its way back: whoever finds this in the file goes on with it. */
void kept_going(json_t *kept, const char *device);
/* It is back: of a released one that it is left alone stays known, of others nothing. */
void kept_gone(json_t *kept, const char *device);
/* Released, by that login, while nobody kept records. */
void kept_tell_later(json_t *kept, const char *device, const char *by, uint64_t wall_ns);
/* There was nothing to release by that name. */
void kept_tell_not(json_t *kept, const char *device);
/* {DEVICE: {"by", "wall_ns"}} of all of them, owned by the caller; none is left in `kept`. */
json_t *kept_untold(json_t *kept);
/* For people: [{"device", "mark", "up", "was": [texts of addresses and routes]}]; owned by the caller. */
json_t *kept_json(const json_t *kept);
enum kept_mark kept_mark(const json_t *record);

#endif
