/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learns from frames of a file or a mirror port. The frames are replayed (mgmt/cli/replay/run.h)
 * under two policies that allow everything: one judges the commands of all protocols that have an
 * enforcer, the other one only names protocols. After a fixed number of sessions the results are
 * added to `learnt` and both replays begin anew, so memory is bounded for any duration. The same
 * frames give the same result. A program can have one study at a time.
 */
#ifndef SEKISHO_MGMT_CLI_LEARN_STUDY_H
#define SEKISHO_MGMT_CLI_LEARN_STUDY_H

#include "appliance/base/err.h"
#include "mgmt/cli/learn/learnt.h"
#include "mgmt/cli/replay/capture.h"

struct study;

struct study *study_new(struct err *e); /* NULL with *e filled; owned by the caller */
void study_free(struct study *s);	/* accepts NULL */
void study_frame(struct study *s, const struct capture_frame *f);
/* The counts so far, valid until the next call. Sessions of the present round are not among them;
 * study_sessions() counts those. */
const struct tally *study_tally(const struct study *s);
uint32_t study_sessions(const struct study *s); /* number of sessions followed at present */
/* To be called after the last frame. Returns everything that was learnt, settled; borrowed from the
 * study. */
struct learnt *study_finish(struct study *s);

#endif
