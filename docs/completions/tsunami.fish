function __tsunami_complete
    set -l found (env _TSUNAMI_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
        _TYPER_COMPLETE_ARGS=(commandline -cp | string collect) tsunami)
    if test -n "$found"
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete --command tsunami --no-files --arguments "(__tsunami_complete)"
