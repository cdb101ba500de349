/* SPDX-License-Identifier: Apache-2.0 */
/* Doors that people open; door_book.h decides about them. */
#ifndef SEKISHO_ENFORCE_DOORS_H
#define SEKISHO_ENFORCE_DOORS_H

#include <stdbool.h>
#include <stdint.h>

struct enforce;
struct msg;

/* Handles an order about a door. It is answered now, or when the supervisor has stored the change.
 * False: the channel is broken. */
bool enforce_door(struct enforce *f, const struct msg *m);
/* Takes the list that the supervisor sends, and brings the kernel up to date. False: the message is
 * invalid. */
bool enforce_doors(struct enforce *f, uint32_t id, int fd);
void enforce_doors_due(struct enforce *f); /* to be called in each turn */
void enforce_doors_end(struct enforce *f);

#endif
