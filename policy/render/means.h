/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In what two policies differ by what they do, in sentences: the one place where they are made, for `diff`, a dry run, who approves, history and record.
 * See policy/space/differ.h. Pure.
 */
#ifndef SEKISHO_POLICY_RENDER_MEANS_H
#define SEKISHO_POLICY_RENDER_MEANS_H

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "policy/read/compilation.h"

/*
 * An array of sentences, as docs/json.md has it under diff; empty: they mean the same from `now` on. A new reference; NULL: it cannot be
 * told, for want of memory (of `after`, too) or since the two are too large to be laid over each other.
 */
json_t *means_json(const struct compilation *before, const struct compilation *after, uint64_t now);
/* The same that is kept and sent on: so many sentences at most, with so many places each; *ret_more: how many are left out. Takes the reference. */
json_t *means_bounded(json_t *sentences, size_t *ret_more);
#define MEANS_MOST 200u
#define MEANS_PLACES 20u

/* One of them without its places, as one line; `folder`: what stands before the file's name ("old/"). */
#define MEANS_LINE 800u
void means_line(const json_t *l, enum lang lang, const char *folder, char *out, size_t size);

#endif
