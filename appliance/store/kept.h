/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `kept`: the network devices that the box has taken from the first namespace, and their
 * state before that. With it, a program that starts after another one died can give them back. Only
 * a process that holds the folder's lock writes the file: the supervisor or `sekishod --release`.
 *
 *   {"version": 1, "data": name of the namespace, "admin": ...,
 *    "devices": {DEVICE: {"mark", "picture"}},
 *    "untold": {DEVICE: {"by", "wall_ns"}}}
 *
 * `mark` is "taken", "retired" or "released". "retired": the device is in the box, but no policy
 * uses it any more; "by" is the generation that left it out. "released": a person, "by", has
 * ordered that it is given back, and only the next apply or rollback takes it again.
 *
 * `picture` is the earlier state of the device (appliance/box/loan.h). With "going" in it, the
 * device is being given back. `untold` has devices that were released while no daemon ran; the
 * journal has no records of that yet.
 *
 * The record is on the disk before the device is touched. The file is replaced as a whole and
 * synced.
 */
#ifndef SEKISHO_STORE_KEPT_H
#define SEKISHO_STORE_KEPT_H

#include <stdbool.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"

enum kept_mark { KEPT_TAKEN, KEPT_RETIRED, KEPT_RELEASED, KEPT_MARKS };

/*
 * Reads the whole file; the result is owned by the caller, and empty when there is no file.
 * *damaged: the file could not be read, and the result is empty. The file was set aside as
 * `kept.damaged`; if it may be good, kept_save does so later. NULL: see *e; after a temporary
 * failure, nothing is changed.
 */
json_t *kept_load(int statefd, bool *damaged, struct err *e);
/* As kept_load, for programs that do not hold the lock of the folder: nothing is set aside. NULL:
 * the file cannot be read, or there is none. */
json_t *kept_look(int statefd);
/* 0 or negative errno. */
int kept_save(int statefd, json_t *kept, struct err *e);
/* Stores the names of the namespaces, for programs that are started without them. */
void kept_spaces(json_t *kept, const char *data, const char *admin);
/* The record of a device, borrowed; NULL = none. */
json_t *kept_find(const json_t *kept, const char *device);
/* Sets the record of a device, with `picture` (the caller keeps its reference), or, if NULL, with
 * the picture that it has. */
void kept_put(json_t *kept, const char *device, enum kept_mark mark, json_t *picture);
/* Notes that `by` released the device now. */
void kept_released(json_t *kept, const char *device, const char *by);
/* Notes that generation `by` does not use the device, which stays in the box. */
void kept_left_out(json_t *kept, const char *device, uint64_t by);
/* That generation; 0 = the device is not retired, or the generation is not known. */
uint64_t kept_left_out_by(const json_t *record);
/* False for a released device whose record has no picture any more; true for any other device. A
 * released device with a picture could not be moved yet. */
bool kept_in_box(const json_t *kept, const char *device);
/* Adds the device to `wanted`, the devices to be given back: {DEVICE: picture or null}. */
void kept_want(json_t *wanted, const json_t *kept, const char *device);
/* The devices to be given back by an order: all in the box (NULL), or this one if it is; owned by
 * the caller. */
json_t *kept_wanted(const json_t *kept, const char *device);
/* Notes that the device is being given back. A program that finds this note completes
 * the return. */
void kept_going(json_t *kept, const char *device);
/* Notes that the device is back. For a released device, the record stays, so that it is not taken
 * again; other records are removed. */
void kept_gone(json_t *kept, const char *device);
/* Notes that the device was released by that login while no daemon could record it. */
void kept_tell_later(json_t *kept, const char *device, const char *by, uint64_t wall_ns);
/* Removes that note, because there was nothing to release under that name. */
void kept_tell_not(json_t *kept, const char *device);
/* Takes all these notes out of `kept`: {DEVICE: {"by", "wall_ns"}}, owned by the caller. */
json_t *kept_untold(json_t *kept);
/* For people: [{"device", "mark", "up", "was": [texts of addresses and routes]}]; owned by
 * the caller. */
json_t *kept_json(const json_t *kept);
enum kept_mark kept_mark(const json_t *record);

#endif
