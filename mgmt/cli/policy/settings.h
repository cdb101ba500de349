/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy and its box.cfg say, object by object and key by key, after everything that goes
 * without saying was put in: so that two policies can be compared by what they mean, whatever their
 * texts look like. Where a conduit names no sources, for instance, its zone's addresses stand;
 * `weak_tls` of a conduit is the site's, where it says nothing itself.
 */
#ifndef SEKISHO_MGMT_CLI_POLICY_SETTINGS_H
#define SEKISHO_MGMT_CLI_POLICY_SETTINGS_H

#include "appliance/base/json.h"
#include "mgmt/cli/policy/source.h"

/*
 * Every object, in the order of the language:
 * {"object":"conduit","name":...,"file":...,"line":...,"settings":{...}}. A setting is null
 * (nothing is said), a text, a number, a truth value, or a list of texts whose order means nothing.
 * `name` is null where there is one such object at most; file is null where its place is not known.
 * A new reference; NULL when memory is out.
 */
json_t *settings_json(const struct source *s);
/*
 * What differs: {"change":"changed","object","name","setting","before","after","file","line"}, and
 * of an object that one of them alone has {"change":"added|removed",...,"settings":{...}}. Its
 * place is in `after`, of what was removed in `before`. Borrows both; a new reference, NULL when
 * memory is out.
 */
json_t *settings_compare(const json_t *before, const json_t *after);
/* Their names; a new reference. */
json_t *settings_assets(const struct model_hosts *h);
/* The texts of this list that the other one has not; a new reference. */
json_t *settings_without(const json_t *list, const json_t *other);

#endif
