using OnnxDistill.Graph.Model;
using OnnxDistill.Reporting;

namespace OnnxDistill.Cli;

/// <summary>The web page that a verb writes beside its model, when it is asked to: what can go wrong does so before the work.</summary>
internal sealed class WebPage
{
    private readonly string _folder;
    private readonly WebRuntime _runtime;

    private WebPage(string folder, WebRuntime runtime) => (_folder, _runtime) = (folder, runtime);

    /// <summary>Finds all that a page in that folder needs; null when no folder is named.</summary>
    public static WebPage? Prepare(string? folder, string? runtime, Report report)
    {
        if (folder is null)
            return runtime is null ? null : throw new UsageException("--web-runtime: found without --web, the folder of the page that it is for.");
        OutputFile.RequireFolder(folder, "--web");
        return new WebPage(folder, WebRuntime.Find(runtime, report.Line));
    }

    /// <summary>Writes the page.</summary>
    public void Write(OnnxModel model, Report report)
    {
        WebDemo.Write(model, _folder, _runtime);
        report.Set("page", Path.Combine(_folder, "index.html"));
        report.Line($"{Path.Combine(_folder, "index.html")}: open it with any file server, for instance 'npx http-server {_folder}'");
    }
}
