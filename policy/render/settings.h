/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a policy and its box.cfg, object by object and key by key, with all defaults
 * filled in, so that policies can be compared by their meaning and not by their text. For example,
 * a conduit without sources gets its zone's addresses, and a conduit without `weak_tls` gets the
 * site's value. Only this module says what differs: for `diff`, a dry run, the approver, history
 * and record. Pure.
 */
#ifndef SEKISHO_POLICY_RENDER_SETTINGS_H
#define SEKISHO_POLICY_RENDER_SETTINGS_H

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "policy/read/compilation.h"

struct model_hosts;

/*
 * All objects, in the order in which the policy language defines their kinds:
 * {"object":"conduit","name":...,"file":...,"line":...,"settings":{...}}. A setting is null (not
 * given), a text, a number, a truth value, or a list of texts whose order has no meaning. `name` is
 * null for objects that exist only once; `file` is null if the place is not known. A new reference;
 * NULL when memory is out.
 */
json_t *settings_json(const struct compilation *c);
/*
 * The differences: {"change":"changed","object","name","setting","before","after","file","line"}.
 * For an object that exists in only one of the two:
 * {"change":"added|removed",...,"settings":{...}}. `file` and `line` are the place in `after`; for
 * removed objects, in `before`. Borrows both; a new reference, NULL when memory is out.
 */
json_t *settings_compare(const json_t *before, const json_t *after);
/* The names of the assets; a new reference. */
json_t *settings_assets(const struct model_hosts *h);
/* The texts of `list` that `other` does not have; a new reference. */
json_t *settings_without(const json_t *list, const json_t *other);

/* A difference in words, a line for each part; `folder`: prefix of the file's name ("old/").
 * malloc'd; NULL when memory is out. */
char *settings_text(const json_t *change, enum lang lang, const char *folder);
/* Adds to `sentences` (of means_json) one of kind "settings" for each difference: {"kind","object",
 * "name","setting","file","line","places":[],"text":{"en","ja"}}. A text is cut after
 * SETTINGS_TEXT bytes. */
void settings_tell(json_t *sentences, const struct compilation *before, const struct compilation *after);
#define SETTINGS_TEXT 4000u

#endif
