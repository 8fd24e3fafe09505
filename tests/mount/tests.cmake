# Each test_*.py is one ctest entry that drives a real kernel mount. Without /dev/fuse they are
# skipped and say so (return code 77).
function(shoebox_pytest name file label timeout)
  add_test(NAME ${name}
    COMMAND /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout} SKIP_RETURN_CODE 77 ENVIRONMENT
    "SHOEBOX=$<TARGET_FILE:shoebox>;SHOEBOX_DECODER=$<TARGET_FILE:shoebox-decoder>;PYTHONDONTWRITEBYTECODE=1;PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR}/mount")
endfunction()

file(GLOB mount_tests CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} mount/test_*.py)
foreach(file ${mount_tests})
  string(REGEX REPLACE "mount/test_(.*)\\.py" "mount.\\1" name ${file})
  shoebox_pytest(${name} ${file} mount 900)
endforeach()
