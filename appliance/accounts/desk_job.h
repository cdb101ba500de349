/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job of the desk: a person over the web, whose phrase or factors take their time to be judged.
 */
#ifndef SEKISHO_ACCOUNTS_DESK_JOB_H
#define SEKISHO_ACCOUNTS_DESK_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/account.h"
#include "appliance/accounts/desk.h"
#include "appliance/base/addr.h"

struct job;

struct job *desk_job(struct desk *d, uint32_t id);
bool desk_hash(struct desk *d, struct job *j, const char *phrase, const char *setting);
void desk_job_end(struct job *j);
/* A job for a person over the web. NULL: too many are asking, in total or from this address. He was
 * told to try again later. */
struct job *desk_stranger(struct desk *d, uint32_t id, const struct addr *from);
/* counts a failure; does not answer. */
void desk_failed(struct desk *d, struct job *j);
/* Ends a job that could not be judged: it does not count as a failure, and the person has to try
 * again. */
void desk_come_again(struct desk *d, struct job *j);
/* Begins a session for a person who has shown all factors. */
void desk_let_in(struct desk *d, const struct job *j, struct account *a, bool paper, struct moment now);

#endif
