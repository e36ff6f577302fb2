/* The file that an export writes, where it is a single one. */
#include "export.h"

#include "gyre/file.h"
#include "gyre/overwrite.h"

gyre_status cli_export_check_file(const char *output, const char *format, long at,
                                  const char *mark) {
    if (output == NULL) {
        return gyre_fail(GYRE_EUSAGE, "`gyre export %s` needs -o FILE, the file that it writes",
                         format);
    }
    GYRE_TRY(gyre_overwrite_check_at(output, at, mark));
    return gyre_file_try(output);
}
