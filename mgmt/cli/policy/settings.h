/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a policy and its box.cfg, object by object and key by key, with all defaults
 * filled in, so that policies can be compared by their meaning and not by their text. For example,
 * a conduit without sources gets its zone's addresses, and a conduit without `weak_tls` gets the
 * site's value.
 */
#ifndef SEKISHO_MGMT_CLI_POLICY_SETTINGS_H
#define SEKISHO_MGMT_CLI_POLICY_SETTINGS_H

#include "appliance/base/json.h"
#include "mgmt/cli/policy/source.h"

/*
 * All objects, in the order of the language:
 * {"object":"conduit","name":...,"file":...,"line":...,"settings":{...}}. A setting is null (not
 * given), a text, a number, a truth value, or a list of texts whose order has no meaning. `name` is
 * null for objects that exist only once; `file` is null if the place is not known. A new reference;
 * NULL when memory is out.
 */
json_t *settings_json(const struct source *s);
/*
 * The differences: {"change":"changed","object","name","setting","before","after","file","line"}.
 * An object that only one of both has gives {"change":"added|removed",...,"settings":{...}}. Places
 * are those in `after`; for removed objects those in `before`. Borrows both; a new reference, NULL
 * when memory is out.
 */
json_t *settings_compare(const json_t *before, const json_t *after);
/* The names of the assets; a new reference. */
json_t *settings_assets(const struct model_hosts *h);
/* The texts of `list` that `other` does not have; a new reference. */
json_t *settings_without(const json_t *list, const json_t *other);

#endif
