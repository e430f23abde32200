# Writes version.h with the commit that is built; run at every build, rewritten only when it changed.
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12
                OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE FAILED)
if(FAILED)
  set(COMMIT "unknown")  # built from an archive
endif()
configure_file(${SOURCE_DIR}/src/cli/version.h.in ${OUTPUT} @ONLY)
